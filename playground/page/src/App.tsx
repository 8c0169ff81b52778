import { useCallback, useEffect, useMemo, useState } from "react";
import { act as send, useSetting, useWorld } from "./api";
import { Confirming } from "./blocks/Confirm";
import { KnownContext, type Known } from "./blocks/Drawn";
import { Home } from "./Home";
import { Messages } from "./Messages";
import { Modal } from "./Modal";
import { useRemembered } from "./remembered";
import { Sidebar } from "./Sidebar";
import { Tgc } from "./Tgc";
import { Thread } from "./Thread";
import { useTheme } from "./theme";
import { Traffic } from "./Traffic";
import type { Json } from "./types";
import { useRead } from "./unread";

type Drawer = "tgc" | "traffic" | null;

export function App() {
  const setting = useSetting();
  const [chosen, setWho] = useRemembered<string | null>("who", null);
  const who = setting?.people.find((person) => person.id === chosen)?.id ?? setting?.people[0]?.id ?? null;
  const { slack: known, tgc, traffic, isLive } = useWorld(who);
  const slack = known?.who.id === who ? known : null;
  const [place, setPlace] = useRemembered("place", "");
  const [tab, setTab] = useRemembered<"home" | "messages">("tab", "messages");
  const [thread, setThread] = useRemembered<string | null>("thread", null);
  const [drawer, setDrawer] = useRemembered<Drawer>("drawer", null);
  const [isMenuOpen, setMenuOpen] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const { theme, isChosen, toggle } = useTheme();

  const channel = slack?.channels.find((one) => one.id === place) ?? slack?.channels[0] ?? null;
  const root = channel?.messages.find((message) => message.ts === thread) ?? null;
  const read = useRead(slack, channel, root);

  const act = useCallback(
    async (body: Json) => {
      const told = await send({ who, ...body });
      setTrouble(told);
      return told;
    },
    [who],
  );
  useEffect(() => {
    if (trouble === null) return;
    const gone = setTimeout(() => setTrouble(null), 8000);
    return () => clearTimeout(gone);
  }, [trouble]);

  const names = useMemo<Known>(
    () => ({ users: slack?.users ?? [], channels: slack?.channels ?? [], groups: slack?.groups ?? [], theme }),
    [slack, theme],
  );

  const open = (id: string) => {
    setPlace(id);
    setThread(null);
    setMenuOpen(false);
  };
  const showHome = () => {
    setTab("home");
    void act({ act: "open_home" });
  };
  const toggleDrawer = (which: Drawer) => {
    setDrawer(drawer === which && !root ? null : which);
    setThread(null);
  };
  const isHome = channel?.is_direct === true && tab === "home";

  return (
    <KnownContext value={names}>
      <Confirming>
        {!isLive && (
          <p role="alert" className="away">
            {slack ? "The playground does not answer. This page goes on by itself once it is back." : "Connecting to the playground …"}
          </p>
        )}
        {isLive && slack && !slack.is_app_connected && (
          <p role="status" className="away">
            The app is not connected yet.
          </p>
        )}
        {slack && channel && setting && (
          <div className={`page ${isMenuOpen ? "menu-open" : ""}`}>
            <Sidebar
              slack={slack}
              current={channel.id}
              read={read}
              isOpen={isMenuOpen}
              onOpen={open}
              onBecome={(id) => {
                setWho(id);
                setThread(null);
              }}
              onClose={() => setMenuOpen(false)}
            />
            <main>
              <header className="top">
                <button type="button" className="quiet menu-button" aria-label="Channels" aria-expanded={isMenuOpen} onClick={() => setMenuOpen(true)}>
                  ☰
                </button>
                <h1>{channel.is_direct ? slack.app.name : `${channel.is_private ? "🔒" : "#"} ${channel.name}`}</h1>
                {channel.is_direct && (
                  <div role="tablist" aria-label="App" className="tabs">
                    <button type="button" role="tab" aria-selected={isHome} onClick={showHome}>
                      Home
                    </button>
                    <button type="button" role="tab" aria-selected={!isHome} onClick={() => setTab("messages")}>
                      Messages
                    </button>
                  </div>
                )}
                <span className="space" />
                {tgc && (
                  <button type="button" className="toggle" aria-pressed={drawer === "tgc"} onClick={() => toggleDrawer("tgc")}>
                    <span className="long">Tintri Global Center</span>
                    <span className="short">TGC</span>
                  </button>
                )}
                <button type="button" className="toggle" aria-pressed={drawer === "traffic"} onClick={() => toggleDrawer("traffic")}>
                  Traffic
                </button>
                <button
                  type="button"
                  className="quiet"
                  aria-label={theme === "dark" ? "Light colours" : "Dark colours"}
                  title={isChosen ? "Chosen here" : "As your system says"}
                  onClick={toggle}
                >
                  {theme === "dark" ? "☀" : "☾"}
                </button>
              </header>
              {isHome ? (
                <Home slack={slack} act={act} />
              ) : (
                <Messages
                  key={`${slack.who.id} ${channel.id}`}
                  slack={slack}
                  channel={channel}
                  examples={setting.examples}
                  isRead={read.isThreadRead}
                  act={act}
                  onThread={setThread}
                />
              )}
            </main>
            {root && channel && (
              <Thread slack={slack} channel={channel} root={root} act={act} onClose={() => setThread(null)} />
            )}
            {drawer === "tgc" && tgc && !root && (
              <Tgc tgc={tgc} note={setting.note} onTrouble={setTrouble} onClose={() => setDrawer(null)} />
            )}
            {drawer === "traffic" && !root && <Traffic entries={traffic} onClose={() => setDrawer(null)} />}
            <Modal slack={slack} act={act} />
          </div>
        )}
        <div role="status" aria-live="polite" className={trouble ? "toast" : "toast empty"}>
          {trouble}
        </div>
      </Confirming>
    </KnownContext>
  );
}
