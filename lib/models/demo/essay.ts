/**
 * Something long, to show what the typewriter does with Markdown.
 *
 * @module
 */

const FENCE = "```";

export const ZH_ESSAY = `# 一条纸带上的对话

十九世纪的证券交易所里，股价由一台小机器打在细长的纸带上：**先打上纸带，人们才看得到**。纸带断了可以接上，来晚了可以从头看起，谁也不会看到和别人不一样的行情。聊天里的打字机效果，其实也可以这样做。

## 为什么要一个字一个字地出现

等待十秒再看到一整页文字，和第一秒就看到第一个字，花的时间是一样的，感受却*完全不同*。要做到后者，服务器必须在模型还在思考的时候就开始送字，而这带来了三个问题：

1. **网络会断。** 地铁进了隧道，手机换了基站，连接就没了。
2. **人会离开。** 刷新页面、换个标签页、合上电脑，答案却还在生成。
3. **机器会停。** 升级、重启、断电，总会发生。

> 一个字在显示之前，必须已经写在纸带上。

只要守住这一条，上面三个问题就有了同一个答案：**从断开的地方接着读**。

## 几种做法

| 做法 | 断线之后 | 刷新之后 | 两个标签页 |
|---|---|---|---|
| 整段返回 | 重新提问 | 重新提问 | 各问各的 |
| 直接转发 | 丢掉后半段 | 从头再来 | 各问各的 |
| 先写纸带 | 接着读 | 接着读 | 看到同一份 |

## 用代码说话

读这样一条流，其实只要几行 TypeScript：

${FENCE}ts
const source = new EventSource("/api/runs/" + run + "/events");
let text = "";

source.onmessage = (message) => {
  if (message.data === "[DONE]") return source.close();
  const event = JSON.parse(message.data);
  if (event.type === "text-delta") {
    // off 是这一段开始的位置：重复的不会再加一次
    text = text.slice(0, event.off) + event.delta;
  }
};
${FENCE}

换成 Python 也不难：

${FENCE}python
import json, urllib.request

with urllib.request.urlopen(url) as stream:
    for line in stream:
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        if event["type"] == "text-delta":
            print(event["delta"], end="", flush=True)
${FENCE}

## 留意这些小地方

- 表情符号不能拆开：👩‍👩‍👧 是一个“字”，却由好几个码点组成。
- 中文里的强调也要好看：**“引号里的粗体”**、*斜体*、\`行内代码\`，标点要待在该待的地方。
- 公式一样的文字，比如 \`a < b && b > c\`，只能当作文字，不能变成标签。
- 列表可以嵌套：
  - 第一层写要点；
  - 第二层写细节，比如“每 25 毫秒合并一次写入”。

---

最后说明一下：这篇文章是**演示模型**事先写好的，每次都一样。想看真正的模型现场发挥，请设置 \`OPENAI_API_KEY\`、\`OPENAI_BASE_URL\` 和 \`OPENAI_MODEL\`，然后重新启动。现在不妨试试：在打字的途中刷新这个页面——它会从断开的地方继续。
`;

export const EN_ESSAY = `# A conversation on a paper tape

In the stock exchanges of the nineteenth century a small machine printed every price onto a narrow strip of paper. **First it was on the tape, then people saw it.** A torn tape could be mended, a latecomer could read from the start, and nobody ever saw a different price from his neighbour. A chat that types its answers can work the same way.

## Why letter by letter?

Waiting ten seconds for a page of text takes as long as watching it appear from the first second on, yet it *feels* nothing alike. To type early, a server has to send words while the model is still speaking, and that brings three troubles:

1. **Networks break.** The train enters a tunnel, and the connection is gone.
2. **People leave.** They reload, switch tabs or close the lid while the answer still grows.
3. **Machines stop.** Upgrades, restarts and power cuts happen to everybody.

> No word is shown before it is written on the tape.

Keep that one promise and all three troubles have one cure: **read on from where you were.**

## Three ways to do it

| Approach | After a lost connection | After a reload | In two tabs |
|---|---|---|---|
| Answer in one piece | ask again | ask again | two answers |
| Pass the stream through | the rest is lost | start again | two answers |
| Write the tape first | read on | read on | the same answer |

## In code

Reading such a stream takes a few lines of TypeScript:

${FENCE}ts
const source = new EventSource("/api/runs/" + run + "/events");
let text = "";

source.onmessage = (message) => {
  if (message.data === "[DONE]") return source.close();
  const event = JSON.parse(message.data);
  if (event.type === "text-delta") {
    // off is where this piece begins: a repeated one adds nothing
    text = text.slice(0, event.off) + event.delta;
  }
};
${FENCE}

And hardly more of Python:

${FENCE}python
import json, urllib.request

with urllib.request.urlopen(url) as stream:
    for line in stream:
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        if event["type"] == "text-delta":
            print(event["delta"], end="", flush=True)
${FENCE}

## The small print

- An emoji must never be torn apart: 👩‍👩‍👧 is one character made of several code points.
- Emphasis has to sit well in every script: **bold**, *italic*, \`inline code\`, and **“粗体”** next to Chinese punctuation.
- Something like \`a < b && b > c\` is text and must stay text.
- Lists can be nested:
  - the first level says what matters;
  - the second adds detail, such as "writes are grouped every 25 milliseconds".

---

To be honest with you: the **demo model** has this text by heart, and it never changes. To see a real model improvise, set \`OPENAI_API_KEY\`, \`OPENAI_BASE_URL\` and \`OPENAI_MODEL\` and start again. Until then, try this: reload the page while it types. It goes on where it was.
`;
