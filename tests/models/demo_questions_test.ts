import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Reply, withDemo } from "./demo_helpers.ts";

type Call = Record<string, string>;
const bus = (args: Call) => ({ name: "bus_schedule", arguments: args });
const trip = (from: string, to: string, rest: Call = {}) =>
  bus({ action: "trips", from, to, ...rest });
const at = (stop: string, rest: Call = {}) =>
  bus({ action: "next_departures", stop, ...rest });
const ends = (args: Call) => bus({ action: "first_last", ...args });
const find = (query: string) => bus({ action: "find_stops", query });
const clock = (zone?: string) => ({
  name: "current_time",
  arguments: zone ? { time_zone: zone } : {},
});
const sum = (expression: string) => ({
  name: "calculator",
  arguments: { expression },
});

// The clock stands at Wednesday 2026-03-18, 14:00 in Shanghai.
const QUESTIONS: [string, ...Reply["calls"]][] = [
  ["下一班从火车站到大学城的公交几点？", trip("火车站", "大学城")],
  ["火车站到机场怎么坐车", trip("火车站", "机场")],
  ["你好，我在火车站，想去机场", trip("火车站", "机场")],
  [
    "从Railway Station到University怎么走",
    trip("Railway Station", "University"),
  ],
  ["长途汽车站去市第一医院坐几路车？", trip("长途汽车站", "市第一医院")],
  ["从火车站坐什么车去植物园", trip("火车站", "植物园")],
  ["请帮我查一下建设路口到第三中学的公交", trip("建设路口", "第三中学")],
  ["火车站有哪些车？", at("火车站")],
  ["停车场站下一班车几点", at("停车场站")],
  ["大学城最近一班车几点", at("大学城")],
  ["K3路什么时候到大学城", at("大学城", { route: "K3" })],
  ["１路车在市政府几点有", at("市政府", { route: "1" })],
  [
    "周末旅游线T6几点从火车站出发",
    at("火车站", { route: "T6", at: "2026-03-21" }),
  ],
  ["火车站的首班车几点", ends({ stop: "火车站" })],
  ["机场首末班车时间", ends({ stop: "机场" })],
  [
    "从公交总站到体育中心的最后一班车几点开",
    ends({ from: "公交总站", to: "体育中心" }),
  ],
  ["今天火车站到机场的末班车是几点", ends({ from: "火车站", to: "机场" })],
  [
    "周六火车站到博物馆的首班车",
    ends({
      from: "火车站",
      to: "博物馆",
      at: "2026-03-21",
    }),
  ],
  [
    "明天早上8点从市政府到机场有车吗",
    trip("市政府", "机场", { at: "2026-03-19T08:00" }),
  ],
  ["晚上八点半大学城有公交吗", at("大学城", { at: "2026-03-18T20:30" })],
  ["下午三点一刻火车站的公交", at("火车站", { at: "2026-03-18T15:15" })],
  [
    "半小时后从火车站出发去大学城的车",
    trip("火车站", "大学城", { at: "2026-03-18T14:30" }),
  ],
  [
    "明晚火车站到港口的公交",
    trip("火车站", "港口", { at: "2026-03-19T18:00" }),
  ],
  [
    "下周一9:05从港口到动物园的公交",
    trip("港口", "动物园", { at: "2026-03-23T09:05" }),
  ],
  ["5月1日火车站有哪些公交", at("火车站", { at: "2026-05-01" })],
  ["有没有叫大学的站", find("大学")],
  ["查找站点 医院", find("医院")],
  ["搜索“人民公园”站", find("人民公园")],
  ["现在几点", clock()],
  ["东京现在几点了？", clock("Asia/Tokyo")],
  ["伦敦和北京现在几点？", clock("Europe/London"), clock("Asia/Shanghai")],
  ["想一想：从大学城到火车站怎么走？", trip("大学城", "火车站")],
  ["12*(3+4) 等于多少", sum("12*(3+4)")],
  ["3加5乘以2是多少？", sum("3+5*2")],
  ["80的15%是多少", sum("80*15/100")],
  ["2的10次方", sum("2^10")],
  ["现在几点，顺便算一下 3*7", clock(), sum("3*7")],
  [
    "When is the next bus from the railway station to the university?",
    trip("railway station", "university"),
  ],
  ["next bus to the airport from City Hall", trip("City Hall", "airport")],
  ["next bus from 火车站 to 大学城", trip("火车站", "大学城")],
  ["How do I get from City Hall to the museum?", trip("City Hall", "museum")],
  [
    "I want to go to the zoo from the First City Hospital",
    trip("First City Hospital", "zoo"),
  ],
  ["railway station to airport, please", trip("railway station", "airport")],
  ["What buses leave from Coach Station now?", at("Coach Station")],
  ["next departures at No. 3 Middle School", at("No. 3 Middle School")],
  ["City Hall departures", at("City Hall")],
  ["When does route 1 leave City Hall?", at("City Hall", { route: "1" })],
  [
    "When does the K3 leave from the airport tomorrow at 8am?",
    at("airport", {
      route: "K3",
      at: "2026-03-19T08:00",
    }),
  ],
  ["first bus from the Railway Station", ends({ stop: "Railway Station" })],
  [
    "What's the last bus from the zoo to the harbour tonight?",
    ends({
      from: "zoo",
      to: "harbour",
      at: "2026-03-18T18:00",
    }),
  ],
  [
    "bus between People's Square and Moon Lake on Saturday at 9 pm",
    trip("People's Square", "Moon Lake", { at: "2026-03-21T21:00" }),
  ],
  [
    "bus from the zoo to the airport at 8:30",
    trip("zoo", "airport", { at: "2026-03-18T20:30" }),
  ],
  [
    "bus from the zoo to the airport at 08:30",
    trip("zoo", "airport", { at: "2026-03-19T08:30" }),
  ],
  [
    "Is there a bus from A1 Plaza to the museum in 20 minutes?",
    trip("A1 Plaza", "museum", { at: "2026-03-18T14:20" }),
  ],
  ["find stops named park", find("park")],
  ["Is there a stop called Museum?", find("Museum")],
  ["Which stops are near the hospital?", find("hospital")],
  ["what time is it?", clock()],
  ["What time is it in London?", clock("Europe/London")],
  [
    "What time is it in Beijing and in London?",
    clock("Asia/Shanghai"),
    clock("Europe/London"),
  ],
  ["What time is it in Rio de Janeiro right now?", clock("Rio de Janeiro")],
  ["what is 15% of 80", sum("80*15/100")],
  ["what's 3 plus 4 times 2?", sum("3+4*2")],
  ["1,000 * 3 =", sum("1000 * 3")],
  ["square root of 144?", sum("sqrt(144)")],
  ["What time is it, and what is 6/4?", clock(), sum("6/4")],
];

Deno.test("the demo turns free questions into the right tool calls", async () => {
  await withDemo(async ({ chat }) => {
    const got: unknown[] = [];
    for (const [question] of QUESTIONS) {
      const { calls } = await chat(question);
      got.push([question, ...calls]);
    }
    assertEquals(got, QUESTIONS);
  });
});

Deno.test("the demo calls no tool where none is asked for", async () => {
  const talk: [string, string][] = [
    ["你好", "演示模型"],
    ["hello there", "demo model"],
    ["你是谁？", "我不是大语言模型"],
    ["Are you ChatGPT?", "not a large language model"],
    ["你能做什么", "查公交"],
    ["What can you do?", "Buses"],
    ["谢谢！", "不客气"],
    ["thanks a lot", "You're welcome"],
    ["再见", "一路顺风"],
    ["我想去睡觉", "OPENAI_API_KEY"],
    ["Translate from English to Chinese", "OPENAI_BASE_URL"],
    ["call me at 123-4567", "OPENAI_MODEL"],
    ["今天是2026-03-18", "OPENAI_MODEL"],
    ["公交怎么查", "请告诉我站名"],
    ["Can you look up a bus?", "Tell me a stop"],
    ["怎么去机场？", "请问您从哪一站出发"],
    ["last bus to the museum", "Where does your trip to museum start?"],
    ["🙂", "demo model"],
  ];
  await withDemo(async ({ chat }) => {
    for (const [question, part] of talk) {
      const { calls, content } = await chat(question);
      assertEquals(calls, [], question);
      assertStringIncludes(content, part, question);
    }
  });
});

/** What a tool would say: an answer in the shape of `bus_schedule`. */
const TRIPS = `Direct buses: 火车站 / Railway Station → 大学城 / University
Wednesday 2026-03-18, asked for 14:00 (local time, Asia/Shanghai)
- 14:10 route 1 → 大学城南 / University South, arrives 14:35 (25 min), in 10 min
- 14:13 route 2 → 大学城 / University, arrives 14:44 (31 min), in 13 min
Source: 星澜公交 / Xinglan Transit, timetable valid until 2030-12-31. Scheduled times, not live.`;
const UNCLEAR =
  `"图书馆" may be several stops. Ask the person which one, or call again with one of these names:
- 市图书馆 / City Library [id LB], routes 1, 7`;

Deno.test("the demo understands a question by the ones before it", async () => {
  const talks: { said: [string, string][]; now: string; calls: unknown[] }[] = [
    {
      said: [["下一班从火车站到大学城的公交几点？", TRIPS]],
      now: "那末班车呢？",
      calls: [ends({ from: "火车站", to: "大学城" })],
    },
    {
      said: [["下一班从火车站到大学城的公交几点？", TRIPS]],
      now: "再下一班呢",
      calls: [trip("火车站", "大学城", { at: "2026-03-18T14:11" })],
    },
    {
      said: [["下一班从火车站到大学城的公交几点？", TRIPS]],
      now: "反过来呢？",
      calls: [trip("大学城", "火车站")],
    },
    {
      said: [["火车站到大学城明天的首班车", TRIPS]],
      now: "那去机场呢？",
      calls: [ends({ from: "火车站", to: "机场", at: "2026-03-19" })],
    },
    {
      said: [["火车站到大学城明天的首班车", TRIPS], ["那去机场呢？", TRIPS]],
      now: "今天呢？",
      calls: [ends({ from: "火车站", to: "机场" })],
    },
    {
      said: [["从火车站到大学城的车", TRIPS]],
      now: "K3路呢",
      calls: [trip("火车站", "大学城", { route: "K3" })],
    },
    {
      said: [["怎么去机场？", ""]],
      now: "火车站",
      calls: [trip("火车站", "机场")],
    },
    {
      said: [["去博物馆的末班车是几点", ""]],
      now: "从火车站出发",
      calls: [ends({ from: "火车站", to: "博物馆" })],
    },
    {
      said: [["图书馆到机场怎么走", UNCLEAR]],
      now: "市图书馆",
      calls: [trip("市图书馆", "机场")],
    },
    {
      said: [["When is the next bus from the zoo to the harbour?", TRIPS]],
      now: "and the one after that?",
      calls: [trip("zoo", "harbour", { at: "2026-03-18T14:11" })],
    },
    {
      said: [["When is the next bus from the zoo to the harbour?", TRIPS]],
      now: "What about to the airport?",
      calls: [trip("zoo", "airport")],
    },
    {
      said: [["next departures at the zoo", TRIPS]],
      now: "what about to the airport?",
      calls: [trip("zoo", "airport")],
    },
    {
      said: [["next departures at the zoo", TRIPS]],
      now: "And the last one?",
      calls: [ends({ stop: "zoo" })],
    },
    {
      said: [["bus from the zoo to the harbour", TRIPS]],
      now: "and back?",
      calls: [trip("harbour", "zoo")],
    },
    {
      said: [["bus from the zoo to the harbour", TRIPS]],
      now: "and tomorrow at 9am?",
      calls: [trip("zoo", "harbour", { at: "2026-03-19T09:00" })],
    },
    {
      said: [["last bus to the museum", ""]],
      now: "The Railway Station",
      calls: [ends({ from: "Railway Station", to: "museum" })],
    },
  ];
  await withDemo(async ({ chat }) => {
    for (const { said, now, calls } of talks) {
      const messages: unknown[] = [];
      for (const [question, text] of said) {
        const { message } = await chat(question, messages);
        messages.push({ role: "user", content: question }, message);
        for (const call of message.tool_calls ?? []) {
          messages.push({
            role: "tool",
            tool_call_id: call.id,
            content: text,
          }, { role: "assistant", content: "…" });
        }
      }
      assertEquals((await chat(now, messages)).calls, calls, now);
    }
  });
});

Deno.test("a follow-up without anything before it is no question", async () => {
  await withDemo(async ({ chat }) => {
    for (const question of ["那呢？", "and the one after that?", "反过来呢"]) {
      assertEquals((await chat(question)).calls, [], question);
    }
  });
});

Deno.test("the demo calls only the tools the request offers", async () => {
  const question = "现在几点，顺便算一下 3*7";
  const messages = [{ role: "user", content: question }];
  const tool = (name: string) => ({ type: "function", function: { name } });
  await withDemo(async ({ post }) => {
    const bodies: [string, unknown][] = [
      ["none offered", {}],
      ["one missing", { tools: [tool("calculator")] }],
      ["none allowed", {
        tools: [tool("calculator"), tool("current_time")],
        tool_choice: "none",
      }],
      ["one allowed", {
        tools: [tool("calculator"), tool("current_time")],
        tool_choice: { type: "function", function: { name: "calculator" } },
      }],
    ];
    for (const [name, body] of bodies) {
      const response = await post({ messages, ...body as object });
      const { message, finish_reason } = (await response.json()).choices[0];
      assertEquals(finish_reason, "stop", name);
      assertEquals(message.tool_calls, undefined, name);
      assertStringIncludes(message.content, "current_time", name);
    }
  });
});

Deno.test("the demo answers in the language of the conversation", async () => {
  await withDemo(async ({ chat }) => {
    const before = [
      { role: "user", content: "你好" },
      { role: "assistant", content: "你好！" },
    ];
    assertStringIncludes((await chat("???", before)).content, "演示模型");
    assertStringIncludes((await chat("???")).content, "demo model");
    assertStringIncludes((await chat("who are you", before)).content, "demo");
  });
});
