/**
 * Finds places by name, in Chinese or English, without a pinyin table: exact
 * before prefix before part before likeness (issue 2, point 6).
 *
 * @module
 */
import {
  hasHan,
  likeness,
  nameKey,
  otherLanguage,
  plainName,
  typos,
} from "./names.ts";

/**
 * How a name was met, best first: the same; begins with what was asked; holds it;
 * is held by it; shares characters with it; differs by a slip of the keyboard.
 */
export type Nearness = "same" | "begins" | "holds" | "within" | "like" | "typo";

const ORDER: Nearness[] = ["same", "begins", "holds", "within", "like", "typo"];

export interface Hit {
  place: number;
  nearness: Nearness;
  /** Larger is nearer, within one nearness. */
  score: number;
}

interface Name {
  place: number;
  plain: string;
  key: string;
}

/** Words of `query` that all begin some word of `name`. */
function allWordsBegin(query: string, name: string): boolean {
  const words = name.split(" ");
  return query.split(" ").every((part) =>
    words.some((word) => word.startsWith(part))
  );
}

function meet(query: Name, name: Name): Omit<Hit, "place"> | null {
  if (name.plain === query.plain) return { nearness: "same", score: 2 };
  if (name.key === query.key) return { nearness: "same", score: 1 };
  const han = hasHan(query.key);
  const length = query.key.length;
  // One Latin letter or a digit says nothing about a name.
  if (!han && length < 2) return null;
  const share = Math.min(length, name.key.length) /
    Math.max(length, name.key.length);
  if (name.key.startsWith(query.key)) {
    return { nearness: "begins", score: share };
  }
  if (han ? name.key.includes(query.key) : allWordsBegin(query.key, name.key)) {
    return { nearness: "holds", score: share };
  }
  const inside = han
    ? name.key.length >= 2 && query.key.includes(name.key)
    : name.key.length >= 3 && ` ${query.key} `.includes(` ${name.key} `);
  if (inside) return { nearness: "within", score: name.key.length };
  return null;
}

function guess(query: Name, name: Name): Omit<Hit, "place"> | null {
  if (hasHan(query.key)) {
    const score = likeness(query.key, name.key);
    return score >= 0.4 ? { nearness: "like", score } : null;
  }
  const allowed = query.key.length >= 8 ? 2 : query.key.length >= 4 ? 1 : 0;
  if (allowed === 0) return null;
  const count = typos(query.key, name.key, allowed);
  return count <= allowed ? { nearness: "typo", score: -count } : null;
}

/** The names of all places, ready to be searched. */
export class PlaceIndex {
  #names: Name[];

  constructor(names: Iterable<{ place: number; name: string }>) {
    this.#names = [...names].map(({ place, name }) => ({
      place,
      plain: plainName(name),
      key: nameKey(name),
    }));
  }

  #best(
    queries: Name[],
    match: (query: Name, name: Name) => Omit<Hit, "place"> | null,
  ): Hit[] {
    const best = new Map<number, Hit>();
    for (const name of this.#names) {
      for (const query of queries) {
        const hit = match(query, name);
        if (!hit) continue;
        const old = best.get(name.place);
        if (!old || compare(hit, old) < 0) {
          best.set(name.place, { ...hit, place: name.place });
        }
      }
    }
    return [...best.values()].sort((a, b) =>
      compare(a, b) || a.place - b.place
    );
  }

  /** Places a name may mean, nearest first. */
  find(text: string): Hit[] {
    // "火车站 / Railway Station" and "大学城 (University)" name one place twice.
    const parts = text.split(/\s*[/|(（)）·]\s*/);
    const queries = [...new Set([text, ...parts])]
      .map((part) => ({
        place: -1,
        plain: plainName(part),
        key: nameKey(part),
      }))
      .filter(({ key }) => key !== "");
    const hits = this.#best(queries, meet);
    if (hits[0] && hits[0].nearness !== "within") return hits;
    const other = queries.flatMap(({ key }) => {
      const name = otherLanguage(key);
      return name ? [{ place: -1, plain: name, key: name }] : [];
    });
    const translated = this.#best(other, meet);
    if (translated.length) return translated;
    return hits.length ? hits : this.#best(queries, guess);
  }
}

function compare(a: Omit<Hit, "place">, b: Omit<Hit, "place">): number {
  return ORDER.indexOf(a.nearness) - ORDER.indexOf(b.nearness) ||
    b.score - a.score;
}

/**
 * The place that is meant, when the hits leave no doubt: the only one met in the
 * nearest way. Shared characters alone never decide.
 */
export function decide(hits: Hit[]): Hit | null {
  const [first, second] = hits;
  if (!first || first.nearness === "like") return null;
  if (!second || second.nearness !== first.nearness) return first;
  // "same", "within" and "typo" have degrees; two beginnings are a question.
  const ranked = first.nearness === "same" || first.nearness === "within" ||
    first.nearness === "typo";
  return ranked && second.score < first.score ? first : null;
}
