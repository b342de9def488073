"""Two pages that tell which process serves the visitor, and how often it has."""

import os

from django.http import JsonResponse
from django.shortcuts import render


def facts(request):
    """Counts the visit in the session, which only this process remembers."""
    served = request.session.get("served", 0) + 1
    request.session["served"] = served
    return {
        "pid": os.getpid(),
        "user": request.user.get_username() or None,
        "served": served,
        "group": request.META.get("mooring.group", ""),
        "process": request.META.get("mooring.process", ""),
        "affinity": request.META.get("mooring.affinity", ""),
        "multiprocess": request.META["wsgi.multiprocess"],
        "multithread": request.META["wsgi.multithread"],
    }


def home(request):
    return render(request, "visits/home.html", {"facts": facts(request)})


def whoami(request):
    return JsonResponse(facts(request))
