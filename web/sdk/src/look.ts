export interface Look {
  /** Rules for the colours of the launcher. */
  css: string;
  /** Strokes in a square of 24. */
  icon: string;
  position: "bottom-right" | "bottom-left";
}

/**
 * The look of the shop that the script's address names (`?shop=`), or of the only one: the server writes it in place of
 * this text (`src/kefu/ops/loader.py`). Nothing where the shop has chosen none; a text has none of these fields either.
 */
export const LOOK = Object("KEFU_LOOK") as Partial<Look>;
