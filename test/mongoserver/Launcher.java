import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.EmptyIndex;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.ValueComparator;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.backend.memory.MemoryCollection;
import de.bwaldvogel.mongo.backend.memory.MemoryDatabase;
import de.bwaldvogel.mongo.backend.memory.index.MemoryUniqueIndex;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.bson.MaxKey;
import de.bwaldvogel.mongo.bson.MinKey;
import io.netty.channel.Channel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Spliterators;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Serves the MongoDB protocol from memory until standard input ends.
 *
 * Everything that an answer consists of is mongo-java-server's. What is added
 * here is what it lacks to be of use with many documents: it has an index for
 * unique keys only, and only for queries by nothing but the key. The ordered
 * indexes below choose which documents it looks at, no more: it still decides
 * itself which of them match, and sorts them.
 */
public class Launcher {
    public static void main(String[] args) throws Exception {
        MongoServer server = new MongoServer(new Backend());
        // One worker: the server writes its answers outside of its locks, so
        // that with several workers a reader can see half of an update.
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1, 1);
        System.out.println(server.getLocalAddress().getPort());
        System.out.println(System.getProperty("java.version"));
        System.out.flush();
        while (System.in.read() >= 0) {
        }
        Runtime.getRuntime().halt(0);
    }

    static class Backend extends MemoryBackend {
        // It calls itself MongoDB 4.2 on the wire, which today's drivers
        // refuse. They use nothing of 4.4 that it does not know.
        @Override
        public Document handleCommand(Channel channel, String database, String command, Document query) {
            Document answer = super.handleCommand(channel, database, command, query);
            if (answer != null && answer.containsKey("maxWireVersion")) {
                answer.put("maxWireVersion", 9);
            }
            return answer;
        }

        @Override
        public MemoryDatabase openOrCreateDatabase(String name) {
            return new Database(name, getCursorRegistry());
        }
    }

    static class Database extends MemoryDatabase {
        Database(String name, CursorRegistry cursors) {
            super(name, cursors);
        }

        @Override
        protected MemoryCollection openOrCreateCollection(String name, CollectionOptions options) {
            return new IndexedCollection(this, name, options, cursorRegistry);
        }

        @Override
        protected Index<Integer> openOrCreateUniqueIndex(String collection, String name, List<IndexKey> keys, boolean sparse) {
            return new OrderedUniqueIndex(name, keys, sparse);
        }

        @Override
        protected Index<Integer> openOrCreateSecondaryIndex(String collection, String name, List<IndexKey> keys, boolean sparse) {
            return new OrderedIndex(name, keys);
        }
    }

    /** The positions of documents in the order of the index. */
    interface Ordered {
        NavigableMap<KeyValue, Integer> entries();
    }

    static class OrderedUniqueIndex extends MemoryUniqueIndex implements Ordered {
        private final NavigableMap<KeyValue, Integer> entries = new TreeMap<>(ORDER);

        OrderedUniqueIndex(String name, List<IndexKey> keys, boolean sparse) {
            super(name, keys, sparse);
        }

        @Override
        public NavigableMap<KeyValue, Integer> entries() {
            return entries;
        }

        @Override
        protected boolean putKeyPosition(KeyValue key, Integer position) {
            boolean added = super.putKeyPosition(key, position);
            if (added) {
                entries.put(key, position);
            }
            return added;
        }

        @Override
        protected Integer removeDocument(KeyValue key) {
            entries.remove(key);
            return super.removeDocument(key);
        }
    }

    /** An index that is not unique; the engine under test ends its keys with the _id. */
    static class OrderedIndex extends EmptyIndex<Integer> implements Ordered {
        private final NavigableMap<KeyValue, Integer> entries = new TreeMap<>(ORDER);

        OrderedIndex(String name, List<IndexKey> keys) {
            super(name, keys);
        }

        @Override
        public NavigableMap<KeyValue, Integer> entries() {
            return entries;
        }

        @Override
        public void add(Document document, Integer position, MongoCollection<Integer> collection) {
            getKeyValues(document).forEach(key -> entries.put(key, position));
        }

        @Override
        public Integer remove(Document document) {
            getKeyValues(document).forEach(entries::remove);
            return null;
        }

        @Override
        public void updateInPlace(Document before, Document after, Integer position, MongoCollection<Integer> collection) {
            remove(before);
            add(after, position, collection);
        }

        @Override
        public long getCount() {
            return entries.size();
        }
    }

    // Keys by their values; a bound is a key that ends with the least or the
    // greatest of all values, and lies before or behind all that begin like it.
    static final Comparator<KeyValue> ORDER = (a, b) -> {
        for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
            int difference = ValueComparator.ascWithoutListHandling().compare(a.get(i), b.get(i));
            if (difference != 0) {
                return difference;
            }
        }
        if (a.size() == b.size()) {
            return 0;
        }
        KeyValue longer = a.size() > b.size() ? a : b;
        boolean behind = longer.get(Math.min(a.size(), b.size())) instanceof MaxKey;
        return (longer == a) == behind ? 1 : -1;
    };

    static class IndexedCollection extends MemoryCollection {
        private final Map<String, Index<Integer>> ordered = new HashMap<>();

        IndexedCollection(MemoryDatabase database, String name, CollectionOptions options, CursorRegistry cursors) {
            super(database, name, options, cursors);
        }

        @Override
        public void addIndex(Index<Integer> index) {
            super.addIndex(index);
            if (index instanceof Ordered) {
                ordered.putIfAbsent(index.getName(), index);
            }
        }

        @Override
        public void dropIndex(String name) {
            super.dropIndex(name);
            ordered.remove(name);
        }

        @Override
        protected QueryResult queryDocuments(Document query, Document order, int skip, int limit, int batch, Document fields) {
            if (query.size() > 1 && query.get("_id") instanceof String id) {
                // The compare-and-swap, by _id and version.
                QueryResult one = super.queryDocuments(new Document("_id", id), null, 0, 0, 0, null);
                return matchDocumentsFromStream(query, StreamSupport.stream(one.spliterator(), false),
                    skip, limit, batch, deriveComparator(order), fields);
            }
            if (order != null && limit > 0 && skip == 0) {
                for (Index<Integer> index : ordered.values()) {
                    List<String> keys = index.getKeys().stream().map(IndexKey::getKey).toList();
                    if (keys.equals(List.copyOf(order.keySet()))) {
                        boolean reverse = ((Number) order.get(keys.get(0))).intValue() < 0;
                        Stream<Document> found = range(((Ordered) index).entries(), keys, query, reverse)
                            .map(this::getDocument)
                            .filter(document -> documentMatchesQuery(document, query))
                            .limit(limit);
                        return matchDocumentsFromStream(query, found, skip, limit, batch, deriveComparator(order), fields);
                    }
                }
            }
            return super.queryDocuments(query, order, skip, limit, batch, fields);
        }

        /** The stretch of the index in which all that match are. */
        private static Stream<Integer> range(NavigableMap<KeyValue, Integer> entries, List<String> keys, Document query, boolean reverse) {
            List<Object> same = new ArrayList<>();
            KeyValue low = null;
            KeyValue high = null;
            for (String key : keys) {
                Object equal = null;
                for (Object condition : conditions(query, key)) {
                    if (!(condition instanceof Document)) {
                        equal = condition;
                        continue;
                    }
                    for (Map.Entry<String, Object> bound : ((Document) condition).entrySet()) {
                        Object value = bound.getValue();
                        switch (bound.getKey()) {
                            case "$eq" -> equal = bound.getValue();
                            case "$gt" -> low = later(low, with(same, value, MaxKey.getInstance()));
                            case "$gte" -> low = later(low, with(same, value, MinKey.getInstance()));
                            case "$lt" -> high = earlier(high, with(same, value, MinKey.getInstance()));
                            case "$lte" -> high = earlier(high, with(same, value, MaxKey.getInstance()));
                            case "$ne" -> {
                                if (value == null) {
                                    low = later(low, with(same, null, MaxKey.getInstance()));
                                }
                            }
                            default -> {
                            }
                        }
                    }
                }
                if (equal == null) {
                    break;
                }
                same.add(equal);
            }
            low = later(low, with(same, MinKey.getInstance()));
            high = earlier(high, with(same, MaxKey.getInstance()));
            if (ORDER.compare(low, high) > 0) {
                return Stream.empty();
            }
            NavigableMap<KeyValue, Integer> stretch = entries.subMap(low, true, high, true);
            // Not values().stream(), which counts them all first.
            return StreamSupport.stream(Spliterators.spliteratorUnknownSize(
                (reverse ? stretch.descendingMap() : stretch).values().iterator(), 0), false);
        }

        private static List<Object> conditions(Document query, String key) {
            List<Object> all = new ArrayList<>();
            if (query.containsKey(key)) {
                all.add(query.get(key));
            }
            if (query.get("$and") instanceof Collection<?> more) {
                more.forEach(part -> all.addAll(conditions((Document) part, key)));
            }
            return all;
        }

        private static KeyValue with(List<Object> same, Object... more) {
            List<Object> values = new ArrayList<>(same);
            values.addAll(Arrays.asList(more));
            return new KeyValue(values);
        }

        private static KeyValue later(KeyValue a, KeyValue b) {
            return a != null && ORDER.compare(a, b) > 0 ? a : b;
        }

        private static KeyValue earlier(KeyValue a, KeyValue b) {
            return a != null && ORDER.compare(a, b) < 0 ? a : b;
        }
    }
}
