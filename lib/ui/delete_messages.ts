/**
 * The words of the question before a chat is deleted; they come with it.
 *
 * @module
 */
import type { Language } from "../chat/views.ts";

const en = {
  title: "Delete this chat?",
  what:
    "Everything said in it is deleted for good. An answer being written ends.",
  keep: "Keep it",
  remove: "Delete",
  deleting: "Deleting…",
  failed: "The chat could not be deleted. Try again.",
};

type DeleteMessages = typeof en;

const zh: DeleteMessages = {
  title: "删除这个对话？",
  what: "其中的一切都将永久删除，正在生成的回答也会中止。",
  keep: "保留",
  remove: "删除",
  deleting: "正在删除…",
  failed: "对话没有删除，请再试一次。",
};

export const deleteMessages: Record<Language, DeleteMessages> = { zh, en };
