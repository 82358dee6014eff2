import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createToolbox } from "../../lib/agent/toolbox.ts";
import { report } from "../../lib/models/demo/report.ts";
import { createTools } from "../../lib/tools/mod.ts";
import { NOW, TOOLS, withDemo } from "./demo_helpers.ts";

const answer = (name: string, text: string) => ({
  name,
  arguments: "{}",
  text,
});

const TRIPS = `Direct buses: 火车站 / Railway Station → 大学城 / University
Wednesday 2026-03-18, asked for 23:00 (local time, Asia/Shanghai)
"大学" was read as 大学城 / University.
- 23:00 route 1 → 大学城南 / University South, arrives 23:25 (25 min), leaves now
- 00:10 tomorrow (Thursday 2026-03-19) route N1 → 大学城 / University, arrives 00:31 (21 min), in 70 min
No more buses today after these. After that: 05:40 tomorrow (Thursday 2026-03-19) route 1 → 大学城南 / University South
Source: 星澜公交 / Xinglan Transit, timetable valid until 2030-12-31. Scheduled times, not live.`;

Deno.test("a timetable is told in the language of the question", () => {
  assertEquals(
    report([answer("bus_schedule", TRIPS)], "下一班？", "zh"),
    `**火车站 → 大学城**（2026-03-18 23:00 起）

（“大学”理解为**大学城**）

下一班：**23:00** 1路（往大学城南），23:25 到，全程 25 分钟，马上发车

之后还有：

- 2026-03-19 **00:10** N1路（往大学城），00:31 到，全程 21 分钟，还有 70 分钟发车

这是当天最后几班；再往后是 2026-03-19 05:40 的 1路。

*时刻来自星澜公交，有效期至 2030-12-31；为计划时间，并非实时。*`,
  );
  assertEquals(
    report([answer("bus_schedule", TRIPS)], "next bus?", "en"),
    `**Railway Station → University** (from 2026-03-18 23:00)

(I took "大学" to mean **University**.)

The next one: **23:00** route 1 towards University South, arriving 23:25 (25 min), leaving now

After that:

- 2026-03-19 **00:10** route N1 towards University, arriving 00:31 (21 min), in 70 min

These are the last ones of the day; after that, route 1 leaves at 05:40 on 2026-03-19.

*Times from Xinglan Transit, valid until 2030-12-31; scheduled, not live.*`,
  );
});

Deno.test("an error of a tool is said as it stands", () => {
  const cases: [string, string, string, string][] = [
    [
      "bus_schedule",
      "The tool took longer than 30 s",
      "工具是这样说的：\n\n> The tool took longer than 30 s",
      "The tool said:\n\n> The tool took longer than 30 s",
    ],
    [
      "bus_schedule",
      'no route "9" calls at 火车站 / Railway Station: routes there are 1, K3',
      "9 路不经过**火车站**。那里的线路有：1, K3。",
      "Route 9 does not call at **Railway Station**. Routes there: 1, K3.",
    ],
    [
      "bus_schedule",
      'No stop is called "火星" or anything like it. Ask the person for another name.\nSource: A, timetable valid until 2030-12-31. Scheduled times, not live.',
      "没有找到叫“火星”的站，换个名字试试？",
      'I found no stop called "火星" or anything like it. Is there another name for it?',
    ],
    [
      "calculator",
      "The tool failed: division by zero",
      "工具是这样说的：\n\n> division by zero",
      "The tool said:\n\n> division by zero",
    ],
    ["calculator", "2+2 = 4", "`2+2` = **4**", "`2+2` = **4**"],
    [
      "calculator",
      "division by zero",
      "工具是这样说的：\n\n> division by zero",
      "The tool said:\n\n> division by zero",
    ],
    [
      "current_time",
      "Wednesday 2026-03-18 14:00 (Asia/Shanghai, UTC+08:00)",
      "现在是 2026-03-18 星期三 **14:00**（Asia/Shanghai, UTC+08:00）。",
      "It is **14:00** on Wednesday, 2026-03-18 (Asia/Shanghai, UTC+08:00).",
    ],
    [
      "teleport",
      "",
      "工具 `teleport` 没有返回任何内容。",
      "The tool `teleport` returned nothing.",
    ],
  ];
  for (const [name, text, zh, en] of cases) {
    assertEquals(report([answer(name, text)], "", "zh"), zh);
    assertEquals(report([answer(name, text)], "", "en"), en);
  }
});

Deno.test("a text of another shape is quoted, and cut where it is endless", () => {
  const text = Array.from({ length: 50 }, (_, i) => `bus ${i} at noon`);
  const said = report([answer("bus_schedule", text.join("\n"))], "", "en");
  assertStringIncludes(said, "> bus 0 at noon\n> bus 1 at noon");
  assert(said.endsWith("> bus 11 at noon\n> …"), said);
});

/** Times of day in a text. */
const times = (text: string) => new Set(text.match(/\d\d:\d\d/g));

Deno.test("what the shipped tools say is understood and nothing is invented", async () => {
  const cacheDir = await Deno.makeTempDir();
  const tools = createTools({ cacheDir });
  const box = createToolbox(tools.tools, () => NOW);
  // Each with words the answer must have.
  const questions: [string, string][] = [
    ["下一班从火车站到大学城的公交几点？", "**火车站 → 大学城**"],
    ["火车站有哪些车？", "下一班：**"],
    ["火车站的首末班车", "**火车站** 首末班车"],
    ["从动物园到科技园怎么走", "换乘"],
    ["有没有叫大学的站", "- **大学城**："],
    ["图书馆到机场怎么走", "您指的是哪一站"],
    ["从火车站到火星怎么走", "没有找到叫“火星”的站"],
    ["2039年5月1日火车站到大学城有车吗", "时刻表只覆盖"],
    ["晚上11点59分市图书馆有公交吗", "当天"],
    ["9路火车站几点有", "9 路不经过**火车站**"],
    ["现在几点，顺便算一下 3*7", "`3*7` = **21**"],
    [
      "When is the next bus from the railway station to the university?",
      "**Railway Station → University**",
    ],
    ["What buses leave from City Hall?", "The next one: **"],
    ["last bus from the railway station to the university", "last **"],
    ["How do I get from the zoo to the science park?", "change at"],
    ["bus from the library to the airport", "Which one do you mean?"],
    ["find stops named library", "University Library**: route 1"],
    ["What time is it in Madrid?", "(Europe/Madrid, UTC+01:00)"],
    ["What time is it in Atlantis?", 'unknown time zone "Atlantis"'],
    ["find stops named park", "Science Park**: routes"],
    ["What time is it in London?", "It is **06:00** on Wednesday, 2026-03-18"],
  ];
  try {
    await withDemo(async ({ chat, post }) => {
      for (const [question, part] of questions) {
        const { message } = await chat(question);
        assert(message.tool_calls, question);
        const messages: unknown[] = [
          { role: "user", content: question },
          message,
        ];
        let told = "";
        for (const call of message.tool_calls) {
          const prepared = box.prepare({ id: call.id, ...call.function });
          assertEquals(prepared.kind, "ready", question);
          if (prepared.kind !== "ready") continue;
          const text = await prepared.run(
            new AbortController().signal,
            () => {},
          )
            .then(({ output }) => output.text, (error: Error) => error.message);
          told += `${text}\n`;
          messages.push({ role: "tool", tool_call_id: call.id, content: text });
        }
        const body = await (await post({ messages, tools: TOOLS })).json();
        const said = body.choices[0].message.content;
        assertStringIncludes(said, part, `${question}\n${told}`);
        const invented = times(said).difference(times(told));
        assertEquals([...invented], [], question);
        // English sentences of the tool would mean its wording has changed.
        const zh = /\p{Script=Han}/u.test(question);
        if (zh) assert(!/[a-z]{3,} [a-z]{3,} [a-z]{3,}/i.test(said), said);
      }
    });
  } finally {
    await tools.close();
    await Deno.remove(cacheDir, { recursive: true });
  }
});
