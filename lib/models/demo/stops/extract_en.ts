/**
 * English questions about buses: the words that are no place names are cut out,
 * what stays behind "from", "to" and "at" are the stops.
 *
 * @module
 */
import {
  type BusQuestion,
  type Mark,
  type Places,
  takeWords,
  type Word,
} from "./extract.ts";

function words(source: string): RegExp {
  return new RegExp(`(?<![\\w'])(?:${source})(?![\\w'])`, "gi");
}

const FIND_STOP =
  /\b(?:find|search|look up|list|which|what|is there|are there|where(?:'s| is| are)|show)\b[^.?!]*\b(?:stops?|stations)\b(?! (?:at|from))/i;

// "First City Hospital" is a place; "first bus" and "the last from" are not.
const ENDS =
  "(?= (?:bus|coach|departure|trip|service|and|or|from|to|at|in|of|[a-z]?\\d)| ?(?:$|[|?.!,]))";

const WORDS: Word[] = [
  {
    pattern: words(
      "(?:and |what about )?the (?:one|next one|bus) after(?: that| this| it)?|(?:and )?after that|the following one|(?:and )?the next one|any later(?: ones?)?",
    ),
    mark: "later",
  },
  { pattern: words(`(?:last|latest|final)(?: ones?)?${ENDS}`), mark: "last" },
  { pattern: words(`(?:first|earliest)(?: ones?)?${ENDS}`), mark: "first" },
  { pattern: words("next|soonest|upcoming"), mark: "next" },
  {
    pattern: words(
      "(?:and )?(?:on the |the )?way back|(?:and )?back(?: again)?|the other way(?: round| around)?|return trip",
    ),
    mark: "back",
  },
  {
    pattern: words(
      "(?:how|what is the best way|what's the best way)(?: (?:do|can|could|would|should|to))?(?: (?:i|we|you|one))?(?: (?:get|go|travel))?",
    ),
    mark: "way",
  },
  {
    // "Bus Station" and "Coach Station" are places.
    pattern: words(
      "bus(?:es)?(?! (?:station|terminal|depot|interchange|centre|center))|coach(?:es)?(?! (?:station|terminal|park))|(?:departures?|timetable|schedule)(?: of)?|(?:timetable|schedule) for",
    ),
    mark: "bus",
  },
  {
    pattern: words("(?:and |so )?(?:what|how) about|^and"),
    mark: "more",
  },
  {
    pattern: words(
      "please|thanks|thank you|hi|hello|hey|can you|could you|would you|tell me|show me|give me|look up|find|search(?: for)?|check|find out|let me know|(?:do )?you know|(?:i|we) (?:want|need|have|would like|am|are|was)|i'd like|i'm|we're|i|we|me|my",
    ),
  },
  {
    pattern: words(
      "when(?:'s| is| does| do| will| are)?|what time(?:'s| is| does| do| will)?|what(?:'s| is| are)?|which|is there|are there|there(?: is| are)?|is|are|does|do|will|should|can",
    ),
  },
  {
    pattern: words(
      "to (?=(?:go|get|travel|catch|take|be|know|leave|come|reach|see)\\b)|go(?:es|ing)?|get(?:ting)?|travel(?:ling|ing)?|catch|take|leav(?:e|es|ing)|depart(?:s|ing)?|run(?:s|ning)?|stop(?:s|ping)?(?= at| in|$)|come(?:s)?|arriv(?:e|es|ing)|reach|see|know|be|any|an?|some|trips?|service|line|then|also|instead|possible|by|it|here|there|that|this",
    ),
  },
];

const FIND_WORDS: Word[] = [
  {
    pattern: words(
      "find|search(?: for)?|look up|look for|list|show(?: me)?|which|what|is there|are there|where(?:'s| is| are)?|all|any|an?|the|bus|stops?|stations|called|named|near(?:by)?|close to|around|with|matching|match|name[sd]?|containing|in (?:its|the|their) name|please|can you|could you|for|me|of|do you know|have|you|like",
    ),
  },
];

// "No. 3 Middle School" is a place, "the number 3 to the harbour" a line.
const ROUTE =
  /\b(?:route|line|bus) (?:number |no\.? )?#?([a-z]{0,2}\d{1,4}[a-z]?)\b|\b(?:number|no\.?) ?([a-z]?\d{1,4})(?= (?:bus|to|from|at|leave|go|come|run|and)|[?,!]|$)|(?<!\w)([A-Z]\d{1,3})(?!\w| (?!bus|to|from|at|leave|go|come|run|and|on|stop)[a-z])|\bthe (\d{1,3})(?= (?:bus|to|from|at|leave|go|come|run)\b|[?,!]|$)/i;
const SEGMENTS = /[|,?!;:"]|(?<!\b(?:no|st|dr|mt))\./i;
const MARKERS =
  /(?<![\w'])(from|to|towards?|into|for|at|near|outside|leaving|via)(?![\w'])/i;

/** Reads an English question whose time words are already gone. */
export function readEnglish(text: string): Omit<BusQuestion, "when"> {
  const marks = new Set<Mark>();
  const spaced = text.replace(/[’‘]/g, "'").replace(/\s+/g, " ").trim()
    .replace(/\bbetween (.+?) and /i, "from $1 to ");
  if (FIND_STOP.test(spaced)) {
    marks.add("find");
    const rest = takeWords(spaced, FIND_WORDS, marks);
    const stop = longest(rest.split(SEGMENTS).map(cleanName));
    return { ...(stop && { stop }), marks };
  }
  const found = ROUTE.exec(spaced);
  const route = (found?.slice(1).find(Boolean))?.toUpperCase();
  if (route !== undefined) marks.add("bus");
  const unrouted = found ? spaced.replace(found[0], "|") : spaced;
  const rest = takeWords(unrouted, WORDS, marks);
  return { ...readPlaces(rest), ...(route && { route }), marks };
}

function readPlaces(text: string): Places {
  const places: Places = {};
  for (const segment of text.split(SEGMENTS)) {
    const [loose, ...marked] = segment.split(MARKERS);
    const name = cleanName(loose!);
    if (name) places.stop ??= name;
    for (let at = 0; at < marked.length; at += 2) {
      const place = cleanName(marked[at + 1]!);
      if (!place) continue;
      const marker = marked[at]!.toLowerCase();
      if (marker === "from" || marker === "leaving") places.from ??= place;
      else if (/^(?:to|towards?|into|for)$/.test(marker)) places.to ??= place;
      else places.stop ??= place;
    }
  }
  // "the next City Hall bus to the airport": the loose name is where it begins.
  if (places.to && places.stop && !places.from) {
    places.from = places.stop;
    delete places.stop;
  }
  return places;
}

function cleanName(text: string): string {
  return text.trim()
    .replace(/^(?:(?:the|and|or|a|an|in|on)(?= |$)\s*)+/i, "")
    .replace(/(?:\s+(?:the|and|or|in|on|stop)|^(?:and|or))+$/i, "")
    .replace(/^['‘“]|['’”]$/g, "")
    .trim();
}

function longest(names: string[]): string | undefined {
  return names.toSorted((a, b) => b.length - a.length)[0] || undefined;
}
