/**
 * The state of the screen: the list of chats, the open chat, the message being
 * written and the run being followed. Signals and actions out; components draw.
 *
 * A run is not a connection: opening another chat or closing the page only ends
 * the following. Only {@linkcode ChatModel.stop} ends a run.
 *
 * @module
 */
import {
  batch,
  computed,
  type ReadonlySignal,
  type Signal,
  signal,
} from "@preact/signals";
import type { ChatSummary, ChatView } from "../chat/views.ts";
import { createApi } from "./api.ts";
import { type Branches, createBranches } from "./branches.ts";
import { createChatList } from "./chat_list.ts";
import { createChosenSettings, type SettingsDoor } from "./chat_settings.ts";
import { draftOf, keepDraft } from "./drafts.ts";
import type { Environment, TabChannel } from "./environment.ts";
import { type Connection, createFollower } from "./follower.ts";
import { createLookout } from "./lookout.ts";
import type { Notice } from "./notice.ts";
import { createOutbox, entryOf } from "./outbox.ts";
import { createQuestions, type Questions } from "./questions.ts";
import { createQueue, type QueueDoor } from "./queue_model.ts";
import { createSending } from "./sending.ts";
import { lastAnswer, type Phase, type Stage } from "./stage.ts";
import { createSync } from "./sync.ts";
import { mergeTurns, type TurnModel, turnOf } from "./turn_model.ts";
import { createTypewriter } from "./typewriter.ts";

/** The longest message the server takes, in UTF-16 units. */
export const LONGEST_MESSAGE = 32_000;

/** When a page that has come to rest fetches what the first run will need. */
const READER_AFTER_MS = 2_000;

export interface ChatModel {
  readonly chats: ReadonlySignal<ChatSummary[]>;
  /** The open chat; null is a new one. */
  readonly chatId: ReadonlySignal<string | null>;
  readonly title: ReadonlySignal<string>;
  /** Rings whenever another chat is shown; not when a new one gets its id. */
  readonly view: ReadonlySignal<number>;
  readonly turns: ReadonlySignal<TurnModel[]>;
  readonly phase: ReadonlySignal<Phase>;
  /** Questions the agent waits for the person to answer. */
  readonly asking: ReadonlySignal<number>;
  readonly questions: Questions;
  /** Of the open chat. */
  readonly settings: SettingsDoor;
  /** Messages that wait for the end of the answer. */
  readonly queue: QueueDoor;
  /** Versions of questions and answers. */
  readonly branches: Branches;
  readonly connection: ReadonlySignal<Connection>;
  /** Looks for the server at once, and sends what could not be sent. */
  reconnect(): void;
  readonly offline: ReadonlySignal<boolean>;
  readonly draft: Signal<string>;
  readonly notice: Signal<Notice | null>;
  /** For the form of a page without scripts: another one with every page. */
  newKey(): string;
  /** Milliseconds of the page's clock, for waits that are shown. */
  now(): number;
  /**
   * Asks `text`, or the draft; while an answer is written it waits for its end.
   * False when there is nothing to send, or too much.
   */
  send(text?: string): boolean;
  stop(): void;
  /** Sends an unsent message again. */
  resend(key: string): void;
  /** Takes an unsent message back to where it was written. */
  takeBack(key: string): void;
  /** Whether an unsent message would survive the page. */
  lasts(key: string): boolean;
  newChat(): void;
  open(id: string): Promise<void>;
  /** Deletes a chat for good; false if the server did not. */
  remove(id: string): Promise<boolean>;
  /** In the browser: follows, sends what is left, listens. Undone by the answer. */
  start(): () => void;
}

/** What the server renders the page from. The model owns it from now on. */
export interface ChatStart {
  chat: ChatView | null;
  chats: ChatSummary[];
}

export function createChatModel(
  start: ChatStart,
  env: Environment,
): ChatModel {
  const api = createApi(env);
  const outbox = createOutbox(env);
  const tools = { typewriter: createTypewriter(env), now: env.now };

  const chatId = signal<string | null>(start.chat?.id ?? null);
  const openTitle = signal(start.chat?.title ?? "");
  const turns = signal<TurnModel[]>(
    start.chat?.turns.map((turn) => turnOf(turn, tools)) ?? [],
  );
  const stopping = signal(false);
  const offline = signal(false);
  const draft = signal("");
  const notice = signal<Notice | null>(null);
  const view = signal(0);
  const settings = createChosenSettings(
    start.chat?.settings ?? {},
    () => chatId.peek(),
    api,
    env,
  );

  const list = createChatList(start.chats, () => chatId.peek(), api, env);
  const follower = createFollower(() => {
    stopping.value = false;
    list.refresh();
    lookout.look();
  }, env);

  const title = computed(() =>
    list.chats.value.find(({ id }) => id === chatId.value)?.title ||
    openTitle.value
  );
  const phase = computed<Phase>(() => {
    const last = turns.value.at(-1);
    const answer = last?.answer.value;
    // Nothing more will be heard of a lost run: the person may go on.
    const lost = follower.connection.value === "lost";
    const running = answer?.status.value === "running" && !lost;
    if (!running && last?.delivery.value !== "sending") return "idle";
    return stopping.value ? "stopping" : running ? "running" : "sending";
  });
  const asking = computed(() =>
    phase.value === "running"
      ? turns.value.at(-1)?.answer.value?.asking.value ?? 0
      : 0
  );

  /** Grows with every chat that is asked for; the last one wins. */
  let loads = 0;
  let channel: TabChannel | null = null;
  const { dispose: endSync, ...syncing } = createSync(
    api,
    { chatId, view },
    take,
  );

  const stage: Stage = {
    env,
    api,
    tools,
    chatId,
    view,
    turns,
    phase,
    stopping,
    notice,
    draft,
    ...syncing,
    take,
    listAgain: () => void list.refresh(),
    tell: () => channel?.post("changed"),
    opened(id) {
      // Not another view: the same turn goes on, now at its own address.
      keepDraft(env, null, "");
      settings.begun();
      keepDraft(env, id, draft.peek());
      chatId.value = id;
      listen(id);
      env.push(`/c/${id}`);
    },
    follow(answer) {
      if (stopping.peek()) stopRun(answer.run);
      follower.follow(answer);
    },
  };
  const queue = createQueue(start.chat?.queue ?? [], stage);
  const branches = createBranches(stage, (press) => ask(press));
  const sending = createSending(stage, outbox, queue, branches.lost);
  const lookout = createLookout(stage, queue);

  const listen = (id: string | null) => {
    channel?.close();
    channel = id === null ? null : env.channel(`chat:${id}`, stage.sync);
  };

  /** Ahead of its use, where a failure will be noticed. */
  const fetchReader = () => void env.tapeReader().catch(() => {});

  function newChat() {
    if (env.path() !== "/") env.push("/");
    show(null);
  }

  // ---- which chat is shown

  function show(chat: ChatView | null) {
    view.value++;
    loads++;
    const id = chat?.id ?? null;
    listen(id);
    batch(() => {
      chatId.value = id;
      openTitle.value = chat?.title ?? "";
      turns.value = chat?.turns.map((turn) => turnOf(turn, tools)) ?? [];
      queue.reset(chat?.queue ?? []);
      stopping.value = false;
      notice.value = null;
      draft.value = draftOf(env, id);
      settings.show(chat?.settings ?? null);
      branches.settle();
    });
    rest();
  }

  /** What goes on by itself in the chat on the screen. */
  function rest() {
    sending.sendLeftovers();
    follower.follow(lastAnswer(stage));
    lookout.look();
  }

  async function load(id: string): Promise<boolean> {
    const mine = ++loads;
    const result = await api.chat(id);
    if (mine !== loads) return false;
    if (result.ok) show(result.value);
    else notice.value = { kind: "chatNotLoaded" };
    return result.ok;
  }

  function take(chat: ChatView) {
    batch(() => {
      sending.prune();
      openTitle.value = chat.title;
      settings.show(chat.settings);
      queue.show(chat.queue ?? []);
      turns.value = mergeTurns(
        turns.peek(),
        chat.turns,
        follower.run(),
        tools,
      );
    });
    branches.settle();
    follower.follow(lastAnswer(stage));
    lookout.look();
  }

  function ask(press: Parameters<typeof sending.send>[0]) {
    fetchReader();
    notice.value = null;
    if (phase.peek() === "idle") stopping.value = false;
    sending.send(press);
  }

  async function stopRun(run: string) {
    const result = await api.stop(run);
    if (result.ok || lastAnswer(stage)?.run !== run) return;
    batch(() => {
      stopping.value = false;
      notice.value = { kind: "stopFailed" };
    });
  }

  /** The list may know of a run that was begun here by nobody who told. */
  function lookForRun(chats: ChatSummary[]) {
    const run = chats.find(({ id }) => id === chatId.peek())?.activeRun ?? null;
    const known = turns.peek().some(({ answer }) => answer.peek()?.run === run);
    if (run !== null && !known && phase.peek() === "idle") stage.sync();
  }

  /** The page was away: somebody else may have asked, logged in, sorted. */
  function awake() {
    list.refresh();
    stage.sync();
    sending.sendLeftovers();
  }

  return {
    chats: list.chats,
    chatId,
    title,
    view,
    turns,
    phase,
    asking,
    questions: createQuestions(api),
    settings,
    queue,
    branches,
    connection: follower.connection,
    reconnect() {
      follower.hurry();
      sending.hurry();
    },
    offline,
    draft,
    notice,
    newKey: env.newKey,
    now: env.now,
    send(text) {
      const words = (text ?? draft.peek()).trim();
      if (words === "" || words.length > LONGEST_MESSAGE) return false;
      if (text === undefined) draft.value = "";
      ask({ text: words, settings: settings.sent() });
      return true;
    },
    stop() {
      if (phase.peek() !== "running" && phase.peek() !== "sending") return;
      stopping.value = true;
      const answer = lastAnswer(stage);
      if (answer?.status.peek() === "running") stopRun(answer.run);
    },
    resend: sending.resend,
    takeBack: sending.takeBack,
    lasts: outbox.lasts,
    newChat,
    async open(id) {
      if (id !== chatId.peek() && await load(id)) env.push(`/c/${id}`);
    },
    async remove(id) {
      const result = await api.removeChat(id);
      if (!result.ok && result.status !== 404) return false;
      for (const { key, chat } of outbox.all()) {
        if (chat === id) outbox.forget(key);
      }
      if (id === chatId.peek()) {
        draft.value = "";
        newChat();
      } else keepDraft(env, id, "");
      list.refresh();
      return true;
    },
    start() {
      draft.value = draft.peek() || draftOf(env, chatId.peek());
      if (chatId.peek() === null) settings.show(null);
      listen(chatId.peek());
      const off = [
        draft.subscribe((text) => keepDraft(env, chatId.peek(), text)),
        list.chats.subscribe(lookForRun),
        env.after(READER_AFTER_MS, fetchReader),
        env.on("online", () => {
          offline.value = false;
          sending.sendLeftovers();
        }),
        env.on("offline", () => offline.value = true),
        env.on("hidden", () => tools.typewriter.flush()),
        env.on("visible", awake),
        env.onWrite((name) => {
          if (entryOf(name) !== null) sending.prune();
        }),
        env.onPop(() => {
          const at = /^\/c\/([^/]+)$/.exec(env.path())?.[1] ?? null;
          if (at === chatId.peek()) return;
          if (at === null) show(null);
          else load(at);
        }),
      ];
      rest();
      if (start.chats.some(({ activeRun }) => activeRun !== null)) {
        list.refresh();
      }
      return () => {
        off.forEach((call) => call());
        view.value++;
        loads++;
        follower.follow(null);
        listen(null);
        list.dispose();
        endSync();
        lookout.dispose();
        sending.dispose();
      };
    },
  };
}
