/**
 * The words of the queue; they come with it.
 *
 * @module
 */
import type { Language } from "../chat/views.ts";

const en = {
  label: "Waiting messages",
  note: (n: number): string =>
    n === 1
      ? "Sent after this answer"
      : `${n} messages, sent one by one after this answer`,
  next: "Sent in a moment",
  held: "The answer did not come to its end, so this waits for you.",
  heldMany: "The answer did not come to its end, so these wait for you.",
  sendNow: "Send now",
  sendNowHint: "Send now; the answer being written is stopped",
  edit: "Back into the message box",
  remove: "Remove",
  up: "Move up",
  down: "Move down",
  leaving: "One moment…",
  images: (n: number): string => n === 1 ? "1 image" : `${n} images`,
};

type QueueMessages = typeof en;

const zh: QueueMessages = {
  label: "排队的消息",
  note: (n) =>
    n === 1 ? "这条回答完成后发出" : `${n} 条消息，这条回答完成后依次发出`,
  next: "马上发出",
  held: "上一条回答没有完成，这条消息等你决定。",
  heldMany: "上一条回答没有完成，这些消息等你决定。",
  sendNow: "现在发送",
  sendNowHint: "现在发送，并停止正在生成的回答",
  edit: "放回输入框",
  remove: "移除",
  up: "上移",
  down: "下移",
  leaving: "请稍候…",
  images: (n) => `${n} 张图片`,
};

export const queueMessages: Record<Language, QueueMessages> = { zh, en };
