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
  /** What may be wrong with one of them, and what to do about it. */
  trouble: {
    "The connection was closed. Ask again.":
      "The connection was closed. Ask again.",
    "The server does not speak the protocol as expected.":
      "It does not speak the protocol as expected.",
    "The server's program is not installed here.":
      "Its program is not installed here.",
    "The server's program may not be started here.":
      "Its program may not be started here.",
    "The server did not answer in time.": "It did not answer in time.",
    "The server ended the connection.": "It ended the connection.",
    "The server cannot be reached.":
      "Check that it runs, and that its address is right.",
    "The server refuses the token it was given, or wants one.":
      "It refuses the token it was given, or wants one.",
    "The server sends requests on to another address, which is refused.":
      "It sends requests on to another address, which is refused.",
  } as Record<string, string>,
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
  trouble: {
    "The connection was closed. Ask again.": "连接已关闭，请再问一次。",
    "The server does not speak the protocol as expected.":
      "这台服务器没有按协议说话。",
    "The server's program is not installed here.": "这里没有安装它的程序。",
    "The server's program may not be started here.": "这里不许启动它的程序。",
    "The server did not answer in time.": "它没有及时回答。",
    "The server ended the connection.": "它断开了连接。",
    "The server cannot be reached.": "请检查它是否在运行、地址是否正确。",
    "The server refuses the token it was given, or wants one.":
      "它不接受所给的令牌，或者需要一个令牌。",
    "The server sends requests on to another address, which is refused.":
      "它把请求转往别的地址，已拒绝。",
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
