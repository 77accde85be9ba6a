/**
 * iOS lays its keyboard over the page, and moves that: what fills the screen is kept to the part of it that is seen.
 * Returns what stops that.
 */
export function fitKeyboard({ style }: HTMLElement): () => void {
  const seen = window.visualViewport;
  const fit = () => {
    // Who has zoomed in by hand looks around in what lies there.
    if (!seen || seen.scale > 1.01) return;
    style.height = `${seen.height}px`;
    style.top = `${seen.offsetTop}px`;
  };
  const moves = ["resize", "scroll"];
  for (const move of moves) seen?.addEventListener(move, fit);
  return () => {
    for (const move of moves) seen?.removeEventListener(move, fit);
    style.height = style.top = "";
  };
}
