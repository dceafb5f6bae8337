import { useEffect, useState } from "preact/hooks";
import { Api } from "./api.ts";
import { Connection } from "./connection.ts";
import { Frame } from "./frame/frame.tsx";
import { type Place, placeOf } from "./place.ts";
import { TopicPage } from "./topic/topic_page.tsx";

const api = new Api(new URL(".", location.href));
const connection = new Connection(api);

/** The whole console: what the address names. */
export function App() {
  const place = usePlace();
  useEffect(() => connection.watch(), []);
  return (
    <Frame connection={connection} onKeys={() => {}}>
      {place.kind === "topic"
        ? <TopicPage key={place.topic} topic={place.topic} api={api} />
        : <h1>Overview</h1>}
    </Frame>
  );
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
