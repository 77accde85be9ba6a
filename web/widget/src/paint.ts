/** A shop's colours. `text`: for words, in light and in dark. */
export interface Palette {
  color: string;
  on_color: string;
  hover: string;
  text: string[];
}

/** The shop's colours in place of the product's; with null those hold. */
export function paint(palette: Palette | null): void {
  const { color = "", on_color = "", hover = "", text } = palette ?? {};
  const words = text ? `light-dark(${text.join(",")})` : "";
  const own = {
    accent: color,
    "accent-strong": color,
    "accent-strong-hover": hover,
    "on-accent": on_color,
    "on-bright": on_color,
    "accent-text": words,
    focus: words,
    // As much of it as `_readable` in src/kefu/shops/colors.py counts with.
    "accent-soft": color && `color-mix(in srgb, ${color} 10%, var(--k-surface))`,
  };
  for (const [name, value] of Object.entries(own)) document.documentElement.style.setProperty(`--k-${name}`, value);
}
