import { useEffect, useState } from "preact/hooks";
import { Api } from "./api.ts";
import { type Place, placeOf } from "./place.ts";
import { TopicPage } from "./topic/topic_page.tsx";

const api = new Api(new URL(".", location.href));

/** The whole console: what the address names. */
export function App() {
  const place = usePlace();
  return place.kind === "topic"
    ? <TopicPage key={place.topic} topic={place.topic} api={api} />
    : <main>Overview</main>;
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
