/** Drawn here: 20 by 20, one stroke, the colour of the text around. */
const PATHS = {
  arrowUp: "M10 16V4M4.5 9.5 10 4l5.5 5.5",
  back: "M16 10H4M9.5 4.5 4 10l5.5 5.5",
  arrowDown: "M10 4v12m5.5-5.5L10 16l-5.5-5.5",
  stop: "M6 6h8v8H6z",
  plus: "M10 4v12M4 10h12",
  menu: "M3 6h14M3 10h14M3 14h9",
  close: "M5 5l10 10M15 5 5 15",
  copy: "M7 7h9v9H7zM13 7V4H4v9h3",
  check: "M4 10.5 8.2 15 16 5.5",
  retry: "M4.5 10a5.5 5.5 0 1 1 1.8 4M4 16v-3.2h3.2",
  chevron: "M7 4l6 6-6 6",
  bus:
    "M4 14V5.5C4 4.5 5 4 10 4s6 .5 6 1.5V14zM4 10h12M6 14v2M14 14v2M6.6 12h.1M13.3 12h.1",
  clock: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 6v4l2.7 2",
  sum:
    "M5 3h10v14H5zM7.5 6h5M7.5 10h0M10 10h0M12.5 10h0M7.5 13.5h0M10 13.5h0M12.5 13.5h0",
  search: "M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM13 13l4 4",
  tool:
    "M12.5 3.5a4 4 0 0 0-3.9 5L3.5 13.6l2.9 2.9 5.1-5.1a4 4 0 0 0 4.8-5.2l-2.5 2.4-2.2-.6-.6-2.2 2.4-2.4a4 4 0 0 0-.9 0z",
  spark:
    "M10 3v3M10 14v3M3 10h3M14 10h3M5.2 5.2l2 2M12.8 12.8l2 2M14.8 5.2l-2 2M7.2 12.8l-2 2",
  alert: "M10 3.5 17.5 16h-15zM10 8.5v3.2M10 13.8v.1",
  sun:
    "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M15.7 4.3l-1.1 1.1M5.4 14.6l-1.1 1.1",
  moon: "M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z",
  auto: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  sliders:
    "M3 6h7M14 6h3M3 14h3M10 14h7M12 4a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM8 12a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  link:
    "M8.5 11.5a3 3 0 0 0 4.2 0l2.6-2.6a3 3 0 0 0-4.2-4.2l-1 1M11.5 8.5a3 3 0 0 0-4.2 0l-2.6 2.6a3 3 0 0 0 4.2 4.2l1-1",
  up: "M4.5 12.5 10 7l5.5 5.5",
  down: "M4.5 7.5 10 13l5.5-5.5",
  before: "M12.5 4.5 7 10l5.5 5.5",
  after: "M7.5 4.5 13 10l-5.5 5.5",
  goOn: "M6.5 4.5v11l9-5.5z",
  hurry: "M4 5l5.5 5L4 15zM10.5 5l5.5 5-5.5 5z",
  bin:
    "M4 5.5h12M8 5.5V4h4v1.5M5.5 5.5l.7 10.5h7.6l.7-10.5M8.5 8.5v4.5M11.5 8.5v4.5",
  download: "M10 3.5v9m4-3.5-4 4-4-4M4 16.5h12",
  edit: "M4 16l.8-3.4L13 4.4l2.6 2.6-8.2 8.2z",
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration: whatever it stands for is also said in words. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 20 20"
      width="20"
      height="20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
