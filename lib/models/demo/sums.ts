/**
 * Sums and clock questions: what `calculator` and `current_time` are asked.
 *
 * @module
 */

// Words for signs, only where numbers or brackets stand on both sides.
const LEFT = "(?<=[\\d)])\\s*";
const RIGHT = "\\s*(?=[\\d(-])";
const NUMBER = "(\\d+(?:\\.\\d+)?)";
const SIGNS: [RegExp, string][] = [
  [/(?<=\d),(?=\d{3})/g, ""],
  [new RegExp(`${NUMBER}\\s*(?:%|percent) of ${NUMBER}`, "gi"), "$2*$1/100"],
  [new RegExp(`${NUMBER}\\s*的\\s*${NUMBER}\\s*%`, "g"), "$1*$2/100"],
  [new RegExp(`${NUMBER}\\s*的\\s*百分之${NUMBER}`, "g"), "$1*$2/100"],
  [new RegExp(`(?:the )?square root of ${NUMBER}`, "gi"), "sqrt($1)"],
  [new RegExp(`根号\\s*${NUMBER}`, "g"), "sqrt($1)"],
  [/(?<=[\d)])\s*(?:squared\b|的平方(?!根))/gi, "^2"],
  [/(?<=[\d)])\s*(?:cubed\b|的立方(?!根))/gi, "^3"],
  [new RegExp(`${LEFT}的\\s*(\\d+)\\s*次方`, "g"), "^$1"],
  [new RegExp(`${LEFT}to the power of${RIGHT}`, "gi"), "^"],
  [new RegExp(`${LEFT}(?:加上?|plus)${RIGHT}`, "gi"), "+"],
  [new RegExp(`${LEFT}(?:减去?|minus)${RIGHT}`, "gi"), "-"],
  [new RegExp(`${LEFT}(?:乘以?|times|multiplied by|[x×·])${RIGHT}`, "gi"), "*"],
  [new RegExp(`${LEFT}(?:除以|divided by|÷)${RIGHT}`, "gi"), "/"],
  [/\*\*/g, "^"],
];
const EXPRESSION = /(?:sqrt\(|[-(\d])(?:sqrt|[\d\s.+\-*/^()%])*[\d)%]/g;
const DATE = /^\s*\d{4}-\d{1,2}-\d{1,2}\s*$/;
const ASKS =
  /[=＝]|等于|多少|算|结果|what|calculate|compute|how much|evaluate|equals?|sum|solve/i;

/** The expression a question asks for, in calculator signs; null if none. */
export function findExpression(question: string): string | null {
  let text = question.normalize("NFKC").replace(/[−–—]/g, "-");
  for (const [pattern, sign] of SIGNS) text = text.replace(pattern, sign);
  const found = (text.match(EXPRESSION) ?? [])
    .map((part) => part.trim())
    .filter((part) => /\d.*[+\-*/^%].*\d|sqrt\(/.test(part))
    .filter((part) => !DATE.test(part) && isBalanced(part))
    .sort((a, b) => b.length - a.length)[0];
  if (found === undefined) return null;
  const alone = text.replace(found, "").replace(/[\s=?.!。]/g, "") === "";
  return alone || ASKS.test(text) ? found : null;
}

function isBalanced(text: string): boolean {
  let depth = 0;
  for (const sign of text) {
    if (sign === "(") depth++;
    if (sign === ")" && --depth < 0) return false;
  }
  return depth === 0;
}

const CLOCK =
  /(?:现在|当前|此刻)的?(?:是|时间是)?(?:北京时间)?(?:几点|什么时间|时间|啥时候)(?!有|的|出发|发|开|能)|几点(?:钟)?了|报时|(?:今天|今日|明天)(?:是|的)?(?:几号|几月几|星期几|周几|什么日子|日期)|\bwhat(?:'s| is)? (?:the )?(?:current |local )?(?:time|date)(?: is it| now|$|\?| in\b)|\bwhat (?:day|date) is (?:it|today)|\b(?:current|local) time\b|\btime is it\b/i;
const HERE = /(?:现在|当地|此刻)(?:是|时间)?几点(?!有|的|出发|发|开|能)/;
const ZONES: [RegExp, string][] = [
  [/东京|日本|tokyo|japan/i, "Asia/Tokyo"],
  [/首尔|韩国|seoul/i, "Asia/Seoul"],
  [/新加坡|singapore/i, "Asia/Singapore"],
  [/北京|上海|中国|beijing|shanghai|china/i, "Asia/Shanghai"],
  [/香港|hong kong/i, "Asia/Hong_Kong"],
  [/台北|taipei/i, "Asia/Taipei"],
  [/迪拜|dubai/i, "Asia/Dubai"],
  [/莫斯科|moscow/i, "Europe/Moscow"],
  [/柏林|德国|berlin|germany/i, "Europe/Berlin"],
  [/巴黎|法国|paris|france/i, "Europe/Paris"],
  [/伦敦|英国|london/i, "Europe/London"],
  [/纽约|new york/i, "America/New_York"],
  [/洛杉矶|旧金山|los angeles|san francisco/i, "America/Los_Angeles"],
  [/悉尼|sydney/i, "Australia/Sydney"],
  [/\b(?:utc|gmt)\b/i, "UTC"],
];

/** A city nobody here knows; perhaps the tool does. */
const ELSEWHERE =
  /\b(?:time|date)\b.* in (?:the )?(\p{L}[\p{L} .'-]{1,40}?)(?: (?:right )?now| at the moment| today)?[?!. ]*$/iu;

/**
 * What `current_time` is asked, once for each place; empty when nobody asks for
 * the time.
 */
export function findClocks(question: string): { time_zone?: string }[] {
  const text = question.normalize("NFKC");
  if (!CLOCK.test(text) && !HERE.test(text)) return [];
  const named = ZONES.map(([name, zone]) => ({ zone, at: text.search(name) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at);
  if (named.length > 0) return named.map(({ zone }) => ({ time_zone: zone }));
  const place = ELSEWHERE.exec(text)?.[1];
  return [place === undefined ? {} : { time_zone: place }];
}
