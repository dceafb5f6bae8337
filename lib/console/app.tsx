import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Api } from "./api.ts";
import { Connection } from "./connection.ts";
import { Frame } from "./frame/frame.tsx";
import { KeysDialog } from "./frame/keys_dialog.tsx";
import { SignIn } from "./frame/sign_in.tsx";
import { OverviewPage } from "./overview/overview_page.tsx";
import { StatsFeed } from "./overview/stats_feed.ts";
import { type Place, placeOf, topicHref, type TopicTab } from "./place.ts";
import { Session } from "./session.ts";
import { useStore } from "./store.ts";
import { nextTheme, theme } from "./theme.ts";
import { TopicPage } from "./topic/topic_page.tsx";
import { TopicsModel } from "./topics/topics_model.ts";
import { useKeys } from "./ui/keys.ts";

const api = new Api(new URL(".", location.href));
const connection = new Connection(api);
const session = new Session(api);

/** The whole console: a form where a credential is wanted, else what the address names. */
export function App() {
  const { isSignedIn, wanted } = useStore(session.state);
  const [place, go] = usePlace();
  const [showsKeys, setShowsKeys] = useState(false);
  useEffect(() => connection.watch(), []);
  useKeys({
    "?": () => setShowsKeys(true),
    g: () => location.hash = "#/",
    t: () => theme.value = nextTheme(theme.value),
  });
  return (
    <Frame
      connection={connection}
      onKeys={() => setShowsKeys(true)}
      onSignOut={isSignedIn ? () => session.signOut() : undefined}
    >
      {wanted === undefined
        ? <Pages key={api.token} place={place} onTab={go} />
        : <SignIn session={session} wanted={wanted} />}
      {showsKeys && (
        <KeysDialog
          place={wanted === undefined ? place : undefined}
          onClose={() => setShowsKeys(false)}
        />
      )}
    </Frame>
  );
}

interface PagesProps {
  readonly place: Place;
  readonly onTab: (topic: string, tab: TopicTab) => void;
}

/** What is seen by whoever is signed in; nothing of it is left for the next. */
function Pages({ place, onTab }: PagesProps) {
  const [topics] = useState(() => new TopicsModel(api));
  const [feed] = useState(() => new StatsFeed(api, connection));
  useEffect(() => feed.start(), []);
  const { topic, tab } = place.kind === "topic" ? place : NO_TOPIC;
  useScroll(topic);
  useEffect(() => {
    document.title = topic === undefined ? "Runnel" : `${topic} · Runnel`;
  }, [topic]);
  return topic === undefined ? <OverviewPage api={api} feed={feed} topics={topics} /> : (
    <TopicPage
      key={topic}
      topic={topic}
      tab={tab}
      onTab={(next) => onTab(topic, next)}
      api={api}
    />
  );
}

const NO_TOPIC = { topic: undefined, tab: undefined } as const;

/** Topics are shown from their top; the overview where it was left. */
function useScroll(topic: string | undefined): void {
  const left = useRef(0);
  useLayoutEffect(() => {
    if (topic !== undefined) return scrollTo(0, 0);
    scrollTo(0, left.current);
    const keep = () => left.current = scrollY;
    addEventListener("scroll", keep, { passive: true });
    return () => removeEventListener("scroll", keep);
  }, [topic]);
}

/** What the address names, and what goes to a tab of a topic: at once, for whoever focuses what is there then. */
function usePlace(): [Place, (topic: string, tab: TopicTab) => void] {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const follow = () => setPlace(placeOf(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const go = (topic: string, tab: TopicTab) => {
    location.hash = topicHref(topic, tab);
    setPlace({ kind: "topic", topic, tab });
  };
  return [place, go];
}
