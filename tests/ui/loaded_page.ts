/**
 * A loaded page with its model, and what a test asks of it.
 *
 * @module
 */
import { answerText, emptyAnswer } from "../../lib/chat/answer.ts";
import type { RunEvent } from "../../lib/chat/events.ts";
import { fold } from "../../lib/chat/fold.ts";
import type { ChatView, Turn } from "../../lib/chat/views.ts";
import { type ChatModel, createChatModel } from "../../lib/ui/chat_model.ts";
import { createOutbox } from "../../lib/ui/outbox.ts";
import { Device, FakePage, settle } from "./fake_page.ts";
import { FakeServer } from "./fake_server.ts";
import { chatId, runId } from "./scripts.ts";

export const RUN = runId("a");
export const CHAT = chatId("a");

export function turn(
  question: string,
  run: string,
  ...events: RunEvent[]
): Turn {
  const answer = emptyAnswer(run);
  events.forEach((event, at) => fold(answer, { epoch: 1, seq: at + 1, event }));
  return { text: question, createdAt: "2026-11-22T08:00:00.000Z", answer };
}

export const view = (id: string, ...turns: Turn[]): ChatView => ({
  id,
  title: turns[0]?.text ?? "",
  activeRun: turns.at(-1)?.answer.status === "running"
    ? turns.at(-1)!.answer.run
    : null,
  settings: {},
  turns,
  queue: [],
});

/** A loaded page, started; `close` is what leaving it does. */
export async function load(
  { server = new FakeServer(), device = new Device(), chat = null }: {
    server?: FakeServer;
    device?: Device;
    chat?: ChatView | null;
  } = {},
) {
  const page = new FakePage(server, device);
  page.address = chat === null ? "/" : `/c/${chat.id}`;
  const model = createChatModel(
    { chat: structuredClone(chat), chats: server.list },
    page,
  );
  const close = model.start();
  await settle();
  return { server, device, page, model, close };
}

export const said = (model: ChatModel) =>
  model.turns.value.map(({ text, answer }) => [
    text,
    answer.value === null ? null : answerText(answer.value.answer),
  ]);

/** The words in the device's outbox, oldest first. */
export const kept = (device: Device): string[] =>
  createOutbox(new FakePage(new FakeServer(), device)).all()
    .map(({ text }) => text);
