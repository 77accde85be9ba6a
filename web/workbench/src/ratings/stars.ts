/** ★★★★☆ for 4. */
export function starsOf(score: number): string {
  return "★".repeat(score) + "☆".repeat(5 - score);
}
