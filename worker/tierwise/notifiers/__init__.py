"""Notifiers that ship, registered through the same hook as anybody's. Silent until the settings name one."""

from __future__ import annotations

from tierwise import sdk
from tierwise.notifiers import mail, webhook


@sdk.hookimpl
def tierwise_notifiers() -> list[sdk.NotifierType]:
    """A chat, any HTTP service, and mail."""
    return [
        sdk.NotifierType(
            "slack", "A channel of Slack, or whatever takes its incoming webhooks", webhook.Slack, webhook.SlackSettings
        ),
        sdk.NotifierType("webhook", "Any HTTP service, signed (HMAC-SHA256)", webhook.Webhook, webhook.WebhookSettings),
        sdk.NotifierType("email", "Mail by SMTP", mail.Mail, mail.Settings),
    ]
