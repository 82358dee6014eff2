import type { Language } from "../../chat/views.ts";
import type { Settings, Theme } from "../settings.ts";
import { useText } from "../words.ts";
import { Icon, type IconName } from "./icons.tsx";

const LANGUAGES: { value: Language; name: string; htmlLang: string }[] = [
  { value: "zh", name: "中文", htmlLang: "zh-CN" },
  { value: "en", name: "English", htmlLang: "en" },
];
const THEMES: { value: Theme; icon: IconName }[] = [
  { value: "system", icon: "auto" },
  { value: "light", icon: "sun" },
  { value: "dark", icon: "moon" },
];

/** Language and colours, one press each. */
export function SettingsBar({ settings }: { settings: Settings }) {
  const text = useText();
  return (
    <>
      <a
        class="tools-link"
        href="/api/export"
        download
        data-testid="export"
      >
        <Icon name="download" />
        <span>{text.exportAll}</span>
      </a>
      <div class="settings scripted" role="group" aria-label={text.settings}>
        <div class="segments" role="group" aria-label={text.language}>
          {LANGUAGES.map(({ value, name, htmlLang }) => (
            <button
              key={value}
              type="button"
              lang={htmlLang}
              aria-pressed={settings.speech.value.lang === value}
              data-testid={`lang-${value}`}
              onClick={() => settings.setLang(value)}
            >
              {name}
            </button>
          ))}
        </div>
        <div class="segments" role="group" aria-label={text.theme}>
          {THEMES.map(({ value, icon }) => (
            <button
              key={value}
              type="button"
              title={text.themes[value]}
              aria-label={text.themes[value]}
              aria-pressed={settings.theme.value === value}
              data-testid={`theme-${value}`}
              onClick={() => settings.setTheme(value)}
            >
              <Icon name={icon} />
            </button>
          ))}
        </div>
      </div>
    </>
  );
}
