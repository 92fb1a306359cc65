package bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Lets each action of a link through once per recipient, as an update. */
final class Dedupe implements Processor<byte[], byte[], byte[], byte[]> {
    static final String STORE = "seen";
    private static final byte[] SPECIFICATION = "1.0".getBytes(StandardCharsets.UTF_8);
    private static final byte[] TYPE = "crm-updates.interest.v1".getBytes(StandardCharsets.UTF_8);
    private static final byte[] CONTENT = "application/avro".getBytes(StandardCharsets.UTF_8);
    private static final List<String> SHARED = List.of(
            "tenant_id", "link_id", "recipient_id", "click_id", "clicked_at", "person_id", "company_id",
            "mailing_id", "flow_id", "flow_run_id");

    private final Schema updateSchema;
    private final Schema operations;
    private final Schema scopes;
    private final BinaryMessageDecoder<GenericRecord> decoder;
    private final BinaryMessageEncoder<GenericRecord> encoder;
    private final Links links;
    private final UpdateId updateId = new UpdateId();
    private KeyValueStore<String, Long> seen;
    private ProcessorContext<byte[], byte[]> context;

    Dedupe(Schema clickSchema, Schema updateSchema, Links links) {
        this.updateSchema = updateSchema;
        this.operations = updateSchema.getField("operation").schema();
        this.scopes = updateSchema.getField("scope").schema();
        this.decoder = new BinaryMessageDecoder<>(GenericData.get(), clickSchema);
        this.encoder = new BinaryMessageEncoder<>(GenericData.get(), updateSchema);
        this.links = links;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        this.context = context;
        this.seen = context.getStateStore(STORE);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        try {
            GenericRecord click = decoder.decode(record.value());
            Links.Version link = links.find(click.get("link_id").toString(), (Long) click.get("link_version"));
            if (link == null) {
                return;
            }
            for (Links.Action action : link.actions()) {
                apply(record, click, link, action);
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private void apply(Record<byte[], byte[]> record, GenericRecord click, Links.Version link, Links.Action action)
            throws IOException {
        // Everything that makes an update the same one; also the key of the memory.
        String name = String.join(
                "\u001f",
                click.get("tenant_id").toString(),
                click.get("link_id").toString(),
                Long.toString(link.epoch()),
                action.id(),
                click.get("recipient_id").toString(),
                "");
        if (seen.putIfAbsent(name, (Long) click.get("clicked_at")) != null) {
            return;
        }
        String identifier = updateId.of(name);
        ByteBuffer encoded = encoder.encode(update(click, link, action, identifier));
        byte[] value = new byte[encoded.remaining()];
        encoded.get(value);
        context.forward(record.withValue(value).withHeaders(headers(click, identifier)));
    }

    private GenericRecord update(GenericRecord click, Links.Version link, Links.Action action, String identifier) {
        GenericRecord update = new GenericData.Record(updateSchema);
        for (String field : SHARED) {
            update.put(field, click.get(field));
        }
        update.put("update_id", identifier);
        update.put("link_version", link.number());
        update.put("epoch", link.epoch());
        update.put("action_id", action.id());
        update.put("operation", new GenericData.EnumSymbol(operations, action.operation()));
        update.put("interest", action.interest());
        update.put("scope", new GenericData.EnumSymbol(scopes, action.scope()));
        return update;
    }

    private static Headers headers(GenericRecord click, String identifier) {
        Headers headers = new RecordHeaders();
        headers.add("ce_specversion", SPECIFICATION);
        headers.add("ce_type", TYPE);
        headers.add("ce_source", ("/link-actions/" + click.get("tenant_id")).getBytes(StandardCharsets.UTF_8));
        headers.add("content-type", CONTENT);
        headers.add("ce_id", identifier.getBytes(StandardCharsets.UTF_8));
        return headers;
    }
}
