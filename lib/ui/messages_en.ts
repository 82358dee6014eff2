/**
 * Every word of the interface, in English. The other languages are made of the
 * same lines; a missing one does not compile.
 *
 * @module
 */
import type { ErrorCode } from "../chat/events.ts";
import type { Trouble } from "./notice.ts";

export const en = {
  htmlLang: "en",
  appName: "Tickertape",
  newChat: "New chat",
  chats: "Chats",
  noChats: "Your chats will be listed here.",
  openMenu: "Open the list of chats",
  closeMenu: "Close the list of chats",
  skipToComposer: "Skip to the message box",
  running: "answering",
  chatWaits: "waiting for you",
  deleteChat: (title: string) => `Delete “${title}”`,
  exportAll: "Export all chats",
  settings: "Settings",
  language: "Language",
  theme: "Theme",
  themes: { system: "System", light: "Light", dark: "Dark" },

  greeting: "What would you like to know?",
  greetingNote: "Answers arrive word by word, and every word is on the tape.",
  suggestions: [
    "When is the next bus from the railway station to the university?",
    "What are the first and last buses from the airport today?",
    "What is (17.5 + 4) × 12 / 3?",
    "What time is it in Beijing and in London?",
  ],
  suggestionsLabel: "Suggestions",

  placeholder: "Ask anything",
  placeholderBusy: "Write ahead: it waits for its turn",
  composerLabel: "Your message",
  send: "Send",
  stop: "Stop",
  stopping: "Stopping…",
  emptyMessage: "Write something first.",
  charactersLeft: (n: number) =>
    n >= 0 ? `${n} characters left` : `${-n} characters too many`,
  composerHint: "Enter sends · Shift+Enter starts a new line",
  enqueue: "Send after this answer",

  demo: "Built-in demo model · set OPENAI_API_KEY for a real one",
  dismiss: "Dismiss",
  chatSettings: "Chat settings",
  tools: "Tool servers",
  toolTrouble: {
    unreachable: (servers: string) => `Cannot reach the tools of “${servers}”.`,
    changed: (servers: string) =>
      `Tools of “${servers}” have changed and are switched off.`,
  },
  look: "Look",

  you: "You",
  answer: "Answer",
  thinking: "Thinking",
  reasoning: "Reasoning",
  copy: "Copy",
  copied: "Copied",
  copyAnswer: "Copy the answer",
  copyCode: "Copy the code",
  code: "code",
  table: "Table",
  image: (host: string) => `image at ${host}`,
  imageSent: (n: number, of: number) => `Image ${n} of ${of} sent with this`,
  newText: "New text",
  toBottom: "Go to the end",

  sending: "Sending…",
  sentences: (...parts: string[]) => parts.filter(Boolean).join(" "),
  unsent: "Not sent yet.",
  unsentWhy: {
    network: "The server cannot be reached.",
    signIn: "Your access has ended: sign in again.",
    full: "The server has no room left to save it.",
    tooMany: "That was too much for one minute.",
    server: "The server cannot take it just now.",
  } as Record<Trouble, string>,
  kept: "Your message is kept on this device.",
  keptHere: "Your message is kept while this page is open.",
  resend: "Send again",
  giveUp: "Leave it",
  edit: "Edit",
  busy: "An answer is still being written in this chat. Your message is kept.",
  queueFull:
    "Too many messages are waiting already. This one is back in the box.",
  queueFailed: "That did not reach the server. Try again.",
  alreadySent: "That message waits no more: it was sent, or taken back.",
  versionNotShown: "The other version could not be shown. Try again.",
  chatNotDeleted: "The chat could not be deleted. Try again.",
  modelGone:
    "The model of this chat is not on offer just now. Choose another one at the top right; your message is kept.",
  refusedMessage: "The message was not accepted.",
  stopFailed: "Stopping did not reach the server. Try again.",
  chatNotLoaded: "The chat could not be loaded. Check the connection.",
  panelNotLoaded: "The chat's settings could not be loaded. Try again.",

  reconnecting: "No connection. Trying again…",
  tryNow: "Try now",
  offline: "You are offline.",
  offlineAnswering: "You are offline. The answer goes on; it will appear here.",
  lost: "This answer can no longer be read from here. Reload the page.",

  retry: "Retry",
  goOn: "Continue",
  anew: "Answer again",
  editQuestion: "Edit the question",
  saveEdit: "Ask",
  cancelEdit: "Cancel",
  editing: "Your question, edited",
  versions: "Versions",
  versionBefore: "The version before",
  versionAfter: "The version after",
  retryIn: (seconds: number) => `Retry in ${seconds} s`,
  stoppedByYou: "Stopped",
  interrupted: "The server stopped in the middle of this answer.",
  timedOut: "Stopped at the time limit",
  cutByLength: "Cut at the model's length limit",
  cutByFilter: "Withheld by the provider's content filter",
  noText: "The model finished without an answer.",

  waiting: (seconds: number) =>
    `The model is busy. Trying again in ${seconds} s…`,
  retrying: "Trying again…",
  takenOver: "Picking the answer up again…",
  asking: "Waiting for you",

  usage: (tokens: string) => `${tokens} tokens`,
  usageEstimated: (tokens: string) => `about ${tokens} tokens`,

  statusAsked: "Question sent.",
  statusQueued: (place: number) =>
    `Message queued. It is number ${place} in the queue.`,
  statusMoved: (place: number, of: number) =>
    `Moved: number ${place} of ${of} in the queue.`,
  statusRemoved: (of: number) => `Message taken out; ${of} still in the queue.`,
  statusWriting: "The answer is being written.",
  statusAsking: "The agent has a question for you.",
  statusComplete: "The answer is complete.",
  statusStopped: "The answer was stopped.",
  statusFailed: "The answer failed.",

  notFoundTitle: "Nothing here",
  notFound: "This chat or page does not exist, or it is not yours.",
  errorTitle: "Something went wrong",
  error: "The page could not be made. Nothing you wrote is lost.",
  startOver: "Start a new chat",

  errors: {
    upstream_rate_limited: "The model is receiving too many requests just now.",
    upstream_auth:
      "The model's provider did not accept the key. Check OPENAI_API_KEY.",
    upstream_bad_request: "The model's provider refused the request.",
    context_length_exceeded:
      "This chat has grown too long for the model. Start a new one.",
    upstream_unavailable: "The model cannot be reached just now.",
    upstream_timeout: "The model did not begin to answer in time.",
    upstream_stalled: "The model fell silent in the middle of the answer.",
    upstream_reset: "The connection to the model broke.",
    upstream_truncated: "The answer was cut off before its end.",
    upstream_malformed: "The model sent something that cannot be read.",
    upstream_bad_response:
      "What answered is not a model. Check OPENAI_BASE_URL.",
    upstream_error: "The model's provider reported an error.",
    max_steps: "The agent used all its steps without finishing.",
    limit_exceeded: "A limit of this server was reached.",
    run_interrupted: "The server stopped in the middle of this answer.",
    engine_unavailable: "The server's storage cannot be reached just now.",
    internal: "Something went wrong on the server.",
  } as Record<ErrorCode, string>,
};

/** The interface's texts; every language has exactly these. */
export type Messages = typeof en;
