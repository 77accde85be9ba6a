/** What the launcher is drawn with. Colours are `#rrggbb`, the icon is strokes in a square of 24. */
export interface Drawn {
  color: string;
  on: string;
  hover: string;
  icon: string;
}

export interface Look extends Drawn {
  /** Whose look it is. */
  shop: string;
  position: "bottom-right" | "bottom-left";
}

/**
 * The look of the shop that the script's address names (`?shop=`), or of the first one: the server writes it in place of
 * this text (`src/kefu/ops/loader.py`). Nothing where the shop has chosen none; a text has none of these fields either.
 */
export const LOOK = Object("KEFU_LOOK") as Partial<Look>;
