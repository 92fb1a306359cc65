package bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/** Computes the UUIDv5 of an update; used by one thread. */
final class UpdateId {
    private static final UUID NAMESPACE = UUID.fromString("6b1f9c52-6d0e-5d0b-9a3e-2f0c7c1e8a44");
    private static final byte[] PREFIX = ByteBuffer.allocate(16)
            .putLong(NAMESPACE.getMostSignificantBits())
            .putLong(NAMESPACE.getLeastSignificantBits())
            .array();

    private final MessageDigest sha1;

    UpdateId() {
        try {
            sha1 = MessageDigest.getInstance("SHA-1");
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error);
        }
    }

    String of(String name) {
        sha1.update(PREFIX);
        ByteBuffer digest = ByteBuffer.wrap(sha1.digest(name.getBytes(StandardCharsets.UTF_8)));
        long most = digest.getLong() & ~0xf000L | 0x5000L;
        long least = digest.getLong() & 0x3fff_ffff_ffff_ffffL | 0x8000_0000_0000_0000L;
        return new UUID(most, least).toString();
    }
}
