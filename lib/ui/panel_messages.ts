/**
 * The words of the panel of a chat's settings; they come with it.
 *
 * @module
 */
import type { Language } from "../chat/views.ts";

const en = {
  title: "Settings of this chat",
  note: "They count from the next question on.",
  close: "Close",
  save: "Save",
  saving: "Saving…",
  refused: "The settings were not saved.",
  model: "Model",
  standard: "Default",
  standardModel: (name: string) => `Default: ${name}`,
  from: { "own server": "Your server", demo: "Built in" } as Record<
    string,
    string
  >,
  fetching: "Looking for models…",
  notFetched: "The list of models could not be loaded.",
  again: "Try again",
  noModels: "No models are on offer just now.",
  search: "Search models",
  none: "No model matches.",
  notOffered: "not on offer just now",
  temperature: "Temperature",
  temperatureNote:
    "Low is steady, high is varied. Some models take no notice of it.",
  system: "System prompt",
  systemNote: "Told to the model before anything else.",
  systemHint: "For example: Answer briefly, and in French.",
  left: (used: string, most: string) => `${used} of ${most} characters`,
  tooLong: (by: string) => `${by} characters too many`,
};

type PanelMessages = typeof en;

const zh: PanelMessages = {
  title: "本对话的设置",
  note: "从下一个问题起生效。",
  close: "关闭",
  save: "保存",
  saving: "正在保存…",
  refused: "设置没有保存。",
  model: "模型",
  standard: "默认",
  standardModel: (name) => `默认：${name}`,
  from: { "own server": "自己的服务器", demo: "内置" },
  fetching: "正在寻找模型…",
  notFetched: "模型列表加载失败。",
  again: "再试一次",
  noModels: "目前没有可选的模型。",
  search: "搜索模型",
  none: "没有匹配的模型。",
  notOffered: "目前不可用",
  temperature: "温度",
  temperatureNote: "低则稳定，高则多变；有些模型不理会它。",
  system: "系统提示词",
  systemNote: "先于一切告诉模型的话。",
  systemHint: "例如：回答要简短，用法语。",
  left: (used, most) => `${used} / ${most} 字`,
  tooLong: (by) => `超出 ${by} 字`,
};

export const panelMessages: Record<Language, PanelMessages> = { zh, en };
