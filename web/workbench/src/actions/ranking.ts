import { fit } from "../ui/fuzzy";

/** Something the palette offers. `also`: by which other words it is found, those of the other language among them. */
export interface Offer {
  id: string;
  title: string;
  also: string;
}

/** Every word must fit; what is typed as it stands goes before its words in any order. 0: it does not fit. */
function score(query: string, { title, also }: Offer): number {
  const words = query.split(/\s+/).filter(Boolean);
  const least = Math.min(...words.map((word) => fit(word, title, also)));
  const said = title.toLowerCase();
  return least && least + Number(said.includes(query)) + Number(said === query);
}

/** The best first; of equals what was used last, then as they come. */
export function ranked<T extends Offer>(offers: readonly T[], query: string, recent: readonly string[]): T[] {
  const wanted = query.trim().toLowerCase();
  const lastUse = ({ id }: T) => (recent.includes(id) ? recent.indexOf(id) : recent.length);
  return offers
    .map((offer) => ({ offer, points: wanted ? score(wanted, offer) : 1 }))
    .filter(({ points }) => points > 0)
    .toSorted((a, b) => b.points - a.points || lastUse(a.offer) - lastUse(b.offer))
    .map(({ offer }) => offer);
}

const REMEMBERED = 6;

/** With this one used last. */
export function used(recent: readonly string[], id: string): string[] {
  return [id, ...recent.filter((each) => each !== id)].slice(0, REMEMBERED);
}
