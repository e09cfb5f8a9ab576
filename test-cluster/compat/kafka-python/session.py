"""What a user of kafka-python does: administer, produce with acks='all', consume in a group with manual commits."""
import sys
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewPartitions, NewTopic
from kafka.errors import TopicAlreadyExistsError

bootstrap = sys.argv[1].split(",")
name = sys.argv[2]
replicas = int(sys.argv[3])


def check(condition, what):
    if not condition:
        raise AssertionError(what)


admin = KafkaAdminClient(bootstrap_servers=bootstrap)
cluster = admin.describe_cluster()
check(len(cluster["brokers"]) == len(bootstrap), cluster)
admin.create_topics([NewTopic(name, num_partitions=3, replication_factor=replicas)])
try:
    admin.create_topics([NewTopic(name, num_partitions=3, replication_factor=replicas)])
    raise AssertionError("created twice")
except TopicAlreadyExistsError:
    pass
deadline = time.time() + 20
while name not in admin.list_topics():
    check(time.time() < deadline, "the topic is not listed")
    time.sleep(0.05)

producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=5)
futures = [
    producer.send(name, key=b"k%d" % i, value=b"v%d" % i, headers=[("n", b"%d" % i)])
    for i in range(300)
]
offsets = [(f.get(timeout=30).partition, f.get(timeout=30).offset) for f in futures]
check(len(set(offsets)) == 300, "offsets repeat")
producer.close()


def consume(count, group):
    consumer = KafkaConsumer(
        name, bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False, auto_offset_reset="earliest",
    )
    values = []
    limit = time.time() + 60
    while len(values) < count:
        check(time.time() < limit, "only %d of %d records" % (len(values), count))
        for records in consumer.poll(timeout_ms=500, max_records=100).values():
            values += [r.value for r in records]
            check(all(r.headers == [("n", r.value[1:])] for r in records), "headers")
    consumer.commit()
    committed = sum(consumer.committed(TopicPartition(name, p)) or 0 for p in range(3))
    consumer.close()
    return values, committed


values, committed = consume(300, name + "-group")
check(sorted(values) == sorted(b"v%d" % i for i in range(300)), "values differ")
check(committed == 300, "committed %d" % committed)

consumer = KafkaConsumer(name, bootstrap_servers=bootstrap, group_id=name + "-group", enable_auto_commit=False, auto_offset_reset="earliest")
deadline = time.time() + 30
while not consumer.assignment():
    check(time.time() < deadline, "nothing assigned")
    consumer.poll(timeout_ms=200)
check(sum(consumer.position(p) for p in consumer.assignment()) == 300, "the group forgot its offsets")
check(not consumer.poll(timeout_ms=500), "records came twice")
check(sum(consumer.end_offsets(list(consumer.assignment())).values()) == 300, "end offsets")
consumer.close()

groups = [g if isinstance(g, str) else (g.get("group_id") if isinstance(g, dict) else g[0]) for g in (admin.list_consumer_groups() if hasattr(admin, "list_consumer_groups") else admin.list_groups())]
check(name + "-group" in groups, groups)
admin.create_partitions({name: NewPartitions(total_count=5)})
admin.delete_topics([name])
admin.close()
print("ok")
