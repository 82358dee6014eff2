import { punch } from "../punch.ts";

/** Millimetres would be 2.54; here units of the drawing. */
const PITCH = 12;
/** Blank tape before and after the letters, in rows. */
const LEADER = 8;
/** The row of small holes that feeds the tape. */
const FEED_Y = 33;
/** Where hole 1 to 5 are, across the tape. */
const HOLES_Y = [11, 22, 44, 55, 66];

/** A piece of punched tape that says `text`. */
export function TapeStrip({ text }: { text: string }) {
  const letters = punch(text);
  const rows = letters.length + 2 * LEADER;
  const x = (row: number) => row * PITCH + PITCH / 2;
  return (
    <svg
      class="tape-strip"
      viewBox={`0 0 ${rows * PITCH} 77`}
      aria-hidden="true"
    >
      <rect class="paper" width={rows * PITCH} height="77" />
      <g class="feed-holes">
        {Array.from(
          { length: rows },
          (_, row) => <circle key={row} cx={x(row)} cy={FEED_Y} r="1.6" />,
        )}
      </g>
      {letters.map((holes, at) => (
        <g key={at} class="letter">
          {holes.map((punched, hole) =>
            punched && (
              <circle
                key={hole}
                cx={x(LEADER + at)}
                cy={HOLES_Y[hole]}
                r="3.7"
              />
            )
          )}
        </g>
      ))}
    </svg>
  );
}

/** The mark of the program: TT, punched. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect class="mark-paper" width="32" height="32" rx="8" />
      <circle cx="9" cy="7" r="1.5" />
      <circle cx="16" cy="7" r="1.5" />
      <circle cx="23" cy="7" r="1.5" />
      <circle cx="9" cy="25" r="1.5" />
      <circle cx="16" cy="25" r="1.5" />
      <circle cx="23" cy="25" r="1.5" />
      <path class="mark-letter" d="M9.5 13h13M16 13v7.5" />
    </svg>
  );
}
