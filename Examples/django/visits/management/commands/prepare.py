"""Makes the database, the secret key and the users of the demonstration; safe to run again."""

import secrets

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand

VISITORS = 20
PASSWORD = "ahoy"


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args, **options):
        if not settings.SECRET_FILE.exists():
            settings.SECRET_FILE.touch(mode=0o600)
            settings.SECRET_FILE.write_text(secrets.token_urlsafe(50))
        call_command("migrate", verbosity=0)
        users = get_user_model().objects
        for number in range(1, VISITORS + 1):
            name = f"visitor{number}"
            if not users.filter(username=name).exists():
                users.create_user(name, password=PASSWORD)
        if not users.filter(username="admin").exists():
            users.create_superuser("admin", password=PASSWORD)
        self.stdout.write(f"users: visitor1 to visitor{VISITORS} and admin, password {PASSWORD}")
