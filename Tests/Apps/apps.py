"""The applications that people run: how each is started, and what a visitor of it sees and does.

`number` is JavaScript for what the visitor's session counts, `pid` for the process that serves it, and `more` for
what makes it count; all three go through the application's own session, in the process's memory.
"""

import dataclasses


@dataclasses.dataclass
class App:
    group: str = ""
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    # The folder of Examples that it is, instead of these.
    example: str = ""
    path: str = "/"
    # The page is whole.
    there: str = "true"
    number: str = "fetch('/count').then(answer => answer.json()).then(facts => facts.count)"
    pid: str = "fetch('/count?peek').then(answer => answer.json()).then(facts => facts.pid)"
    more: str = ""
    # The page goes on after its WebSocket was cut off.
    outlives: bool = True
    # What is run in the folder before the application is.
    prepare: str = ""


PARTS = "".join(f'<script src="/part/{n}.js"></script>' for n in range(100))
PAGE = f"<!doctype html><title>parts</title><script>var parts = 0</script>{PARTS}"

FLASK = f'''
import os, secrets
from flask import Flask, request, session
app = Flask(__name__)
app.secret_key = "of a test"
counts = {{}}
@app.get("/")
def page():
    return {PAGE!r}
@app.get("/part/<name>")
def part(name):
    return "parts += 1", {{"Content-Type": "text/javascript"}}
@app.get("/count")
def count():
    name = session.setdefault("name", secrets.token_hex(8))
    counts[name] = counts.get(name, 0) + ("peek" not in request.args)
    return {{"count": counts[name], "pid": os.getpid()}}
'''

FASTAPI = f'''
import os
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import HTMLResponse, Response
app = FastAPI()
counts = {{}}
@app.get("/")
def page():
    return HTMLResponse({(PAGE + "<script>var socket = new WebSocket(location.href.replace('http', 'ws') + 'ws')</script>")!r})
@app.get("/part/{{name}}")
def part(name: str):
    return Response("parts += 1", media_type="text/javascript")
@app.get("/count")
def count(request: Request):
    name = request.headers["mooring-session"]
    counts[name] = counts.get(name, 0) + ("peek" not in request.query_params)
    return {{"count": counts[name], "pid": os.getpid()}}
@app.websocket("/ws")
async def echo(socket: WebSocket):
    await socket.accept()
    while True:
        await socket.send_text(await socket.receive_text())
'''

DJANGO_URLS = '''
import os
from django.contrib import admin
from django.http import JsonResponse
from django.urls import path
counts = {}
def count(request):
    name = request.headers["Mooring-Session"]
    counts[name] = counts.get(name, 0) + ("peek" not in request.GET)
    return JsonResponse({"count": counts[name], "pid": os.getpid()})
urlpatterns = [path("admin/", admin.site.urls), path("count", count)]
'''
DJANGO = r'''
set -e
python -m django startproject mysite .
printf '\nALLOWED_HOSTS = ["*"]\n' >> mysite/settings.py
cp urls.txt mysite/urls.py
sed -i 's/^application = .*/from django.contrib.staticfiles.handlers import StaticFilesHandler\napplication = StaticFilesHandler(get_wsgi_application())/' mysite/wsgi.py
python manage.py migrate -v 0
'''

def shown(name, text):
    """A number behind a name in what the page shows."""
    return f"(({text}).match(/{name}=(\\d+)/) || [])[1]"


BODY = "document.body.innerText"
# All elements of the page, those of shadow roots among them, and their text.
PARTS_OF = ("(function all(root) { return [...root.querySelectorAll('*')].flatMap("
            "part => [part, ...(part.shadowRoot ? all(part.shadowRoot) : [])]) })(document)")
INSIDE = f"{PARTS_OF}.map(part => part.shadowRoot ? part.shadowRoot.textContent : '').join(' ')"
FIELD = "document.querySelector('#out textarea').value"
DIV = "Bokeh.documents[0].get_model_by_name('out').text"
APPS = {
    "flask": App('wsgi = "app.py"', {"app.py": FLASK}, there="parts == 100"),
    "django-admin": App(
        'wsgi = "mysite.wsgi"', {"urls.txt": DJANGO_URLS}, path="/admin/login/",
        there="document.querySelector('input[name=password]') && document.styleSheets.length > 1", prepare=DJANGO),
    "fastapi": App(
        'command = ["uvicorn", "app:app", "--port", "{port}"]', {"app.py": FASTAPI},
        there="parts == 100 && socket.readyState == 1"),
    "streamlit": App(
        example="streamlit", there=f"{BODY}.includes('count=')", number=shown("count", BODY),
        pid=shown("pid", BODY), more="document.querySelector('.stButton button').click()"),
    "jupyterlab": App(
        example="jupyterlab", path="/lab", there="document.querySelector('.jp-LauncherCard')",
        number="fetch('/api/kernels').then(answer => answer.json()).then(kernels => kernels.length)",
        pid="fetch('/api/status').then(answer => answer.json()).then(status => status.started)",
        more="fetch('/api/kernels', {method: 'POST', headers: {'X-XSRFToken':"
             " (document.cookie.match(/_xsrf=([^;]+)/) || [])[1]}}).then(answer => answer.status)"),
    "bokeh": App(
        example="bokeh", path="/app",
        there="window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].get_model_by_name('out')",
        number=shown("count", DIV), pid=shown("pid", DIV),
        more="Bokeh.documents[0].get_model_by_name('field').value = String(Math.random())"),
    "panel": App(
        example="panel", path="/app", there=f"{INSIDE}.includes('count=')", number=shown("count", INSIDE),
        pid=shown("pid", INSIDE), more=f"{PARTS_OF}.find(part => part.tagName == 'BUTTON').click()"),
    "gradio": App(
        example="gradio", there="document.querySelector('#out textarea')", number=shown("count", FIELD),
        pid=shown("pid", FIELD), more="document.querySelector('#more').click()"),
    "shiny": App(
        example="shiny", there=f"{BODY}.includes('count=')", number=shown("count", BODY), pid=shown("pid", BODY),
        more="document.querySelector('#more').click()", outlives=False),
}
