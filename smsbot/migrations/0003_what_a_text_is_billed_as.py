from django.db import migrations, models


def count_what_was_sent(apps, schema_editor):
    """Count the segments of the texts that were sent before we kept their number."""
    import smsutil

    Message = apps.get_model("smsbot", "OutboundMessage")
    sent = Message.objects.exclude(sent_at=None).only("id", "text")
    for message in sent.iterator(chunk_size=500):
        Message.objects.filter(pk=message.pk).update(
            segments=len(smsutil.split(message.text).parts)
        )


class Migration(migrations.Migration):
    dependencies = [
        ("smsbot", "0002_the_owners_terms"),
    ]

    operations = [
        migrations.AddField(
            model_name="outboundmessage",
            name="segments",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.RunPython(count_what_was_sent, migrations.RunPython.noop),
    ]
