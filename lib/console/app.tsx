import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Api } from "./api.ts";
import { Connection } from "./connection.ts";
import { Frame } from "./frame/frame.tsx";
import { KeysDialog } from "./frame/keys_dialog.tsx";
import { SignIn } from "./frame/sign_in.tsx";
import { OverviewPage } from "./overview/overview_page.tsx";
import { StatsFeed } from "./overview/stats_feed.ts";
import { type Place, placeOf } from "./place.ts";
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
        ? <Pages key={api.token} />
        : <SignIn session={session} wanted={wanted} />}
      {showsKeys && <KeysDialog onClose={() => setShowsKeys(false)} />}
    </Frame>
  );
}

/** What is seen by whoever is signed in; nothing of it is left for the next. */
function Pages() {
  const place = usePlace();
  const [topics] = useState(() => new TopicsModel(api));
  const [feed] = useState(() => new StatsFeed(api, connection));
  useEffect(() => feed.start(), []);
  const topic = place.kind === "topic" ? place.topic : undefined;
  useScroll(topic);
  useEffect(() => {
    document.title = topic === undefined ? "Runnel" : `${topic} · Runnel`;
  }, [topic]);
  return topic === undefined
    ? <OverviewPage api={api} feed={feed} topics={topics} />
    : <TopicPage key={topic} topic={topic} api={api} />;
}

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

function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const follow = () => setPlace(placeOf(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return place;
}
