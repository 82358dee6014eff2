/**
 * The words of the page about tool servers. It is drawn on the server; only what
 * its buttons say goes to the browser.
 *
 * @module
 */
import type { Language } from "../chat/views.ts";

const en = {
  title: "Tool servers",
  back: "Back to the chats",
  about:
    "Programs of other people that give the agent more tools. What they say counts as text from outside.",
  none: "No tool servers are set up.",
  noneHint: "Name them in tickertape.mcp.json and start this server anew.",
  state: {
    ready: "ready",
    connecting: "connecting",
    unreachable: "cannot be reached",
  },
  count: (n: number) => n === 1 ? "1 tool" : `${n} tools`,
  noTools: "It brings no tools.",
  effect: {
    read: "only reads",
    write: "can change something here: asks you first",
    external: "can act out in the world: asks you first",
  },
  changed: "changed: switched off until you have looked",
  before: "It was, when you first met it",
  after: "It is now",
  changedOtherwise:
    "The description is the same; the arguments it takes have changed.",
  noDescription: "no description",
  allow: "I have looked at it: allow it again",
  allowing: "Telling the server…",
  allowed: "Allowed again.",
  notAllowed: "That did not work. Reload the page and try again.",
  notYours: "Only who runs this server can allow it again.",
  needsScripts: "To allow it again, turn on JavaScript.",
};

export type ToolsPageMessages = typeof en;

const zh: ToolsPageMessages = {
  title: "工具服务器",
  back: "回到对话",
  about: "别人的程序，给智能体带来更多工具。它们说的话一律算作外来文字。",
  none: "还没有设置工具服务器。",
  noneHint: "把它们写进 tickertape.mcp.json，然后重新启动本服务器。",
  state: {
    ready: "就绪",
    connecting: "正在连接",
    unreachable: "连不上",
  },
  count: (n) => `${n} 个工具`,
  noTools: "它没有带来工具。",
  effect: {
    read: "只读取",
    write: "可能改动这里的东西：先问你",
    external: "可能对外操作：先问你",
  },
  changed: "有变动：你看过之前停用",
  before: "最初的样子",
  after: "现在的样子",
  changedOtherwise: "说明没有变，变的是它接受的参数。",
  noDescription: "没有说明",
  allow: "我看过了：重新允许",
  allowing: "正在告诉服务器…",
  allowed: "已重新允许。",
  notAllowed: "没有成功，请刷新页面再试。",
  notYours: "只有运行本服务器的人能重新允许。",
  needsScripts: "要重新允许，请启用 JavaScript。",
};

export const toolsPageMessages: Record<Language, ToolsPageMessages> = {
  zh,
  en,
};
