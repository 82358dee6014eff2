/**
 * What the demo model says, in both languages. It never claims to be more than
 * the demo.
 *
 * @module
 */
import type { Language } from "./language.ts";
import { EN_ESSAY, ZH_ESSAY } from "./essay.ts";

/** Everything said that is not a tool's answer. */
export interface Phrases {
  hello: string;
  whoAreYou: string;
  whatCanYouDo: string;
  thanks: string;
  goodbye: string;
  essay: string;
  fallback: string;
  /** A trip was asked for without its beginning. */
  whereFrom(to: string): string;
  /** A bus was asked for without any stop. */
  whichStop: string;
  /** What was asked for needs a tool this chat does not have. */
  noTool(name: string): string;
  noTools: string;
}

const ZH: Phrases = {
  hello:
    "你好！我是 Tickertape 自带的**演示模型**，可以帮你查公交、看时间、算算术。\n\n试试问我：*下一班从火车站到大学城的公交几点？*",
  whoAreYou:
    "我是 Tickertape 自带的**演示模型**：一张小小的问答表，加上真正会被调用的工具。我不是大语言模型，但打字、调用工具、断线续传走的都是和正式模型一样的路。\n\n想换成真正的模型，设置 `OPENAI_API_KEY` 再重新启动就好。",
  whatCanYouDo:
    "我会的不多，但每一样都是真的：\n\n- **查公交**：下一班、两站之间怎么坐、首末班车、找站点，比如“火车站到机场怎么坐车”\n- **看时间**：“现在几点”，也可以问“东京现在几点”\n- **算算术**：“12*(3+4) 等于多少”\n- **写一篇长文**：看看打字机效果\n- **想一想**：在问题里写上这三个字，我会先说说思路\n\n输入 `/demo 帮助` 可以看到故障演练的列表。",
  thanks: "不客气！还想查哪一班车，随时告诉我。",
  goodbye: "再见，一路顺风！🚌",
  essay: ZH_ESSAY,
  fallback:
    "这个问题超出我的能力了——我是 Tickertape 自带的**演示模型**，不是大语言模型，不想随口编一个答案。\n\n我能做的：查公交（“下一班从火车站到大学城的公交几点？”）、看时间、算算术，或者“写一篇长文”展示打字机效果。\n\n想要真正的回答，请设置这几个环境变量再重新启动：\n\n```sh\nOPENAI_API_KEY=你的密钥\nOPENAI_BASE_URL=https://api.openai.com/v1   # 或任何兼容的服务\nOPENAI_MODEL=模型名称\n```",
  whereFrom: (to) => `好的，去${to}。请问您从哪一站出发？`,
  whichStop:
    "可以的！请告诉我站名，比如“火车站有哪些车”，或者“从火车站到大学城”。",
  noTool: (name) =>
    `要回答这个问题，我需要 \`${name}\` 工具，但这次对话里没有提供它，所以没法查。`,
  noTools: "这次对话没有提供任何工具，所以我没有什么可以调用的。",
};

const EN: Phrases = {
  hello:
    "Hello! I'm the **demo model** built into Tickertape. I can look up buses, tell the time and do sums.\n\nTry: *When is the next bus from the railway station to the university?*",
  whoAreYou:
    "I'm the **demo model** built into Tickertape: a small table of questions and answers, with real tools behind it. I'm not a large language model, but typing, tool calls and resuming take exactly the path a real one would.\n\nTo talk to a real model, set `OPENAI_API_KEY` and start again.",
  whatCanYouDo:
    'Not much, but all of it is real:\n\n- **Buses**: the next one, a trip between two stops, first and last bus, finding a stop: "How do I get from the railway station to the airport?"\n- **The time**: "What time is it?", in other cities too\n- **Sums**: "What is 12*(3+4)?"\n- **Something long**: say "write me something long" and watch the typewriter\n- **Thinking aloud**: put the word "think" into a question\n\nType `/demo help` for a list of faults you can rehearse.',
  thanks: "You're welcome! Ask me about another bus any time.",
  goodbye: "Goodbye, and have a good trip! 🚌",
  essay: EN_ESSAY,
  fallback:
    'That is beyond me: I\'m the **demo model** built into Tickertape, not a large language model, and I would rather not make something up.\n\nWhat I can do: look up buses ("When is the next bus from the railway station to the university?"), tell the time, do sums, or write something long to show off the typewriter.\n\nFor real answers, set these and start again:\n\n```sh\nOPENAI_API_KEY=your-key\nOPENAI_BASE_URL=https://api.openai.com/v1   # or any compatible server\nOPENAI_MODEL=a-model-name\n```',
  whereFrom: (to) =>
    `Happy to look that up. Where does your trip to ${to} start?`,
  whichStop:
    'Sure! Tell me a stop, for example "next bus from the railway station", or two: "from the railway station to the university".',
  noTool: (name) =>
    `To answer that I need the \`${name}\` tool, and this conversation does not offer it, so I can't look it up.`,
  noTools:
    "This conversation offers no tools, so there is nothing for me to call.",
};

/** The phrases of a language. */
export const PHRASES: Record<Language, Phrases> = { zh: ZH, en: EN };

/** Small talk, first match wins; read with the language of the question. */
export const SMALL_TALK: {
  pattern: RegExp;
  phrase:
    | "hello"
    | "whoAreYou"
    | "whatCanYouDo"
    | "thanks"
    | "goodbye"
    | "essay";
}[] = [
  {
    pattern:
      /长文|长一点的|写(一篇|篇|点|些|个)(文章|作文|长|故事|东西|介绍)|打字机|\b(write|type|show)\b.*\b(long|essay|article|story|markdown)\b|something long|\blong (answer|text)\b/i,
    phrase: "essay",
  },
  {
    pattern:
      /你(都|还)?(能|会|可以)(做|干|帮|些|回答)*(点|些)?(什么|啥|哪些)|有(什么|哪些)功能|怎么用|使用说明|^帮助$|\bwhat can (you|i) (do|ask)|\bwhat do you do\b|\bhow (do|can) you help|\bhow do i use\b|^help\W*$/i,
    phrase: "whatCanYouDo",
  },
  {
    pattern:
      /你(是|叫)(谁|什么|啥)|介绍一下(你)?自己|你是.*(模型|机器人|ai)|\b(who|what) are you\b|\byour name\b|\bare you (an? )?(real|human|bot|robot|ai|gpt|chatgpt|llm|large language model|model)\b|introduce yourself/i,
    phrase: "whoAreYou",
  },
  {
    pattern: /谢谢|多谢|感谢|辛苦了|\b(thanks?|thank you|thx|cheers)\b/i,
    phrase: "thanks",
  },
  {
    pattern: /再见|拜拜|\b(bye|goodbye|see you)\b/i,
    phrase: "goodbye",
  },
  {
    pattern:
      /^(你好|您好|嗨|哈喽|哈罗|在吗|早上好|下午好|晚上好|大家好|早安)|^(hi|hello|hey|howdy|good (morning|afternoon|evening))\b/i,
    phrase: "hello",
  },
];
