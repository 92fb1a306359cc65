package bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The versions of all links, read from a file at the start. */
final class Links {
    /** One thing that a link asks for. */
    record Action(String id, String operation, String interest, String scope) {}

    /** A version of a link. */
    record Version(long number, long epoch, List<Action> actions) {}

    private final Map<String, Map<Long, Version>> versions = new HashMap<>();

    private Links() {}

    static Links read(Path path) throws IOException {
        Links links = new Links();
        for (JsonNode link : new ObjectMapper().readTree(path.toFile()).get("links")) {
            List<Action> actions = new ArrayList<>();
            for (JsonNode action : link.get("actions")) {
                actions.add(new Action(
                        action.get("action_id").asText(),
                        action.get("operation").asText(),
                        action.get("interest").asText(),
                        action.get("scope").asText()));
            }
            long number = link.get("version").asLong();
            links.versions
                    .computeIfAbsent(link.get("link_id").asText(), any -> new HashMap<>())
                    .put(number, new Version(number, link.get("epoch").asLong(), actions));
        }
        return links;
    }

    /** The version that a click names; null where there is none. */
    Version find(String link, long number) {
        return versions.getOrDefault(link, Map.of()).get(number);
    }
}
