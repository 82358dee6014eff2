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
import { emptyAnswer } from "../chat/answer.ts";
import type { ChatSummary, ChatView, StartedRun, Turn } from "../chat/views.ts";
import { createAnswerModel } from "./answer_model.ts";
import { createApi, type Result } from "./api.ts";
import { createChatList } from "./chat_list.ts";
import { createChosenSettings, type SettingsDoor } from "./chat_settings.ts";
import { createDelivery, isPassing } from "./delivery.ts";
import type { Environment, TabChannel } from "./environment.ts";
import { type Connection, createFollower } from "./follower.ts";
import { type Notice, noticeOf } from "./notice.ts";
import * as outbox from "./outbox.ts";
import { createQuestions, type Questions } from "./questions.ts";
import {
  mergeTurns,
  outgoingTurn,
  type TurnModel,
  turnOf,
} from "./turn_model.ts";
import { createTypewriter } from "./typewriter.ts";

/** The longest message the server takes, in UTF-16 units. */
export const LONGEST_MESSAGE = 32_000;

/** When a page that has come to rest fetches what the first run will need. */
const READER_AFTER_MS = 2_000;

/** `stopping` from the press until the run's terminal. */
export type Phase = "idle" | "sending" | "running" | "stopping";

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
  readonly connection: ReadonlySignal<Connection>;
  readonly offline: ReadonlySignal<boolean>;
  readonly draft: Signal<string>;
  readonly notice: Signal<Notice | null>;
  /** Milliseconds of the page's clock, for waits that are shown. */
  now(): number;
  /** Asks `text`, or the draft. False when there is nothing to send, or too much. */
  send(text?: string): boolean;
  stop(): void;
  /** Asks the same again, in a new run. */
  retry(turn: TurnModel): void;
  /** Sends an unsent message again. */
  resend(turn: TurnModel): void;
  /** Takes an unsent message back into the composer. */
  takeBack(turn: TurnModel): void;
  newChat(): void;
  open(id: string): Promise<void>;
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
  const { deliver } = createDelivery(api, env);
  const typewriter = createTypewriter(env);
  const toTurn = (turn: Turn) => turnOf(turn, typewriter, env.now);

  const chatId = signal<string | null>(start.chat?.id ?? null);
  const openTitle = signal(start.chat?.title ?? "");
  const turns = signal<TurnModel[]>(start.chat?.turns.map(toTurn) ?? []);
  const stopping = signal(false);
  const offline = signal(false);
  const draft = signal("");
  const notice = signal<Notice | null>(null);
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
    const busy = (answer?.status.value === "running" && !lost) ||
      (answer === null && last?.delivery.value === "sending");
    if (!busy) return "idle";
    return stopping.value ? "stopping" : answer ? "running" : "sending";
  });

  const asking = computed(() =>
    phase.value === "running"
      ? turns.value.at(-1)?.answer.value?.asking.value ?? 0
      : 0
  );

  /** Grows with every chat that is shown; what comes late for an older one is void. */
  const view = signal(0);
  /** Grows with every chat that is asked for; the last one wins. */
  let loads = 0;
  let channel: TabChannel | null = null;

  const lastAnswer = () => turns.peek().at(-1)?.answer.peek() ?? null;
  const listen = (id: string | null) => {
    channel?.close();
    channel = id === null ? null : env.channel(`chat:${id}`, () => sync());
  };

  /** Ahead of its use, where a failure will be noticed. */
  const fetchReader = () => void env.tapeReader().catch(() => {});

  // ---- which chat is shown

  function show(chat: ChatView | null) {
    view.value++;
    loads++;
    const id = chat?.id ?? null;
    listen(id);
    batch(() => {
      chatId.value = id;
      openTitle.value = chat?.title ?? "";
      turns.value = chat?.turns.map(toTurn) ?? [];
      stopping.value = false;
      notice.value = null;
      draft.value = outbox.draftOf(env, id);
      settings.show(chat?.settings ?? null);
    });
    follower.follow(lastAnswer());
    sendLeftovers();
  }

  async function load(id: string): Promise<boolean> {
    const mine = ++loads;
    const result = await api.chat(id);
    if (mine !== loads) return false;
    if (result.ok) show(result.value);
    else notice.value = { kind: "chatNotLoaded" };
    return result.ok;
  }

  /** Asks the server what this chat is now, and shows it. */
  async function sync() {
    const mine = view.peek();
    const id = chatId.peek();
    if (id === null) return;
    const result = await api.chat(id);
    if (mine === view.peek() && result.ok) reconcile(result.value);
  }

  function reconcile(chat: ChatView) {
    batch(() => {
      openTitle.value = chat.title;
      settings.show(chat.settings);
      turns.value = mergeTurns(
        turns.peek(),
        chat.turns,
        follower.run(),
        toTurn,
      );
    });
    follower.follow(lastAnswer());
  }

  // ---- sending

  function ask(text: string) {
    const message = {
      key: env.newKey(),
      chat: chatId.peek(),
      text,
      settings: settings.sent(),
    };
    outbox.keep(env, message);
    fetchReader();
    batch(() => {
      notice.value = null;
      stopping.value = false;
    });
    dispatch(message);
  }

  /** Messages of this chat that a reload, or a missing network, has left behind. */
  function sendLeftovers() {
    for (const message of outbox.outgoing(env)) {
      if (message.chat === chatId.peek()) dispatch(message);
    }
  }

  async function dispatch(message: outbox.Outgoing) {
    const way = deliver(message);
    if (way === null) return;
    let turn = turns.peek().find(({ key }) => key === message.key);
    if (turn === undefined) {
      turn = outgoingTurn(message.key, message.text);
      turns.value = [...turns.peek(), turn];
    }
    turn.delivery.value = "sending";
    const mine = view.peek();
    const result = await way;
    if (result.ok) {
      outbox.forget(env, message.key);
      if (mine === view.peek()) begin(turn, result.value);
      list.refresh();
    } else if (isPassing(result.status) || result.status === 401) {
      turn.delivery.value = "unsent";
      if (mine === view.peek()) settle(result);
    } else {
      outbox.forget(env, message.key);
      if (mine === view.peek()) {
        giveBack(turn);
        settle(result);
      } else {
        const kept = outbox.draftOf(env, message.chat);
        outbox.keepDraft(env, message.chat, kept || message.text);
      }
    }
  }

  function begin(turn: TurnModel, { run_id, chat_id }: StartedRun) {
    if (chatId.peek() === null) {
      // Not another view: the same turn goes on, now at its own address.
      outbox.keepDraft(env, null, "");
      settings.begun();
      outbox.keepDraft(env, chat_id, draft.peek());
      chatId.value = chat_id;
      listen(chat_id);
      env.push(`/c/${chat_id}`);
    }
    const same = turns.peek().find((other) =>
      other.answer.peek()?.run === run_id
    );
    if (same !== undefined) {
      // An earlier try had arrived; only its answer got lost on the way.
      turns.value = turns.peek().filter((other) => other !== turn);
      follower.follow(same.answer.peek());
      return;
    }
    const answer = createAnswerModel(
      emptyAnswer(run_id),
      typewriter,
      env.now,
    );
    batch(() => {
      turn.delivery.value = "sent";
      turn.answer.value = answer;
    });
    channel?.post({ run: run_id });
    if (stopping.peek()) stopRun(run_id);
    follower.follow(answer);
  }

  function settle(failure: Extract<Result<unknown>, { ok: false }>) {
    stopping.value = false;
    notice.value = noticeOf(failure) ?? notice.peek();
    if (failure.code === "run_active") sync();
  }

  /** The turn's words go back into the composer, before what is written there. */
  function giveBack(turn: TurnModel) {
    turns.value = turns.peek().filter((other) => other !== turn);
    draft.value = [turn.text, draft.peek()].filter(Boolean).join("\n\n");
  }

  async function stopRun(run: string) {
    const result = await api.stop(run);
    if (result.ok || lastAnswer()?.run !== run) return;
    batch(() => {
      stopping.value = false;
      notice.value = { kind: "stopFailed" };
    });
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
    connection: follower.connection,
    offline,
    draft,
    notice,
    now: env.now,
    send(text) {
      const words = (text ?? draft.peek()).trim();
      if (words === "" || words.length > LONGEST_MESSAGE) return false;
      if (phase.peek() !== "idle") return false;
      if (text === undefined) draft.value = "";
      ask(words);
      return true;
    },
    stop() {
      if (phase.peek() !== "running" && phase.peek() !== "sending") return;
      stopping.value = true;
      const answer = lastAnswer();
      if (answer !== null) stopRun(answer.run);
    },
    retry(turn) {
      if (phase.peek() === "idle") ask(turn.text);
    },
    resend(turn) {
      const kept = outbox.outgoing(env).find(({ key }) => key === turn.key);
      if (kept !== undefined) dispatch(kept);
    },
    takeBack(turn) {
      outbox.forget(env, turn.key);
      giveBack(turn);
    },
    newChat() {
      if (env.path() !== "/") env.push("/");
      show(null);
    },
    async open(id) {
      if (id !== chatId.peek() && await load(id)) env.push(`/c/${id}`);
    },
    start() {
      draft.value = draft.peek() || outbox.draftOf(env, chatId.peek());
      if (chatId.peek() === null) settings.show(null);
      listen(chatId.peek());
      const off = [
        draft.subscribe((text) => outbox.keepDraft(env, chatId.peek(), text)),
        env.after(READER_AFTER_MS, fetchReader),
        env.on("online", () => {
          offline.value = false;
          sendLeftovers();
        }),
        env.on("offline", () => offline.value = true),
        env.on("hidden", () => typewriter.flush()),
        env.on("visible", () => list.refresh()),
        env.onPop(() => {
          const at = /^\/c\/([^/]+)$/.exec(env.path())?.[1] ?? null;
          if (at === chatId.peek()) return;
          if (at === null) show(null);
          else load(at);
        }),
      ];
      sendLeftovers();
      follower.follow(lastAnswer());
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
      };
    },
  };
}
