from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import path, re_path
from django.views.static import serve
from visits import views


def static(request, path):
    """The admin site's styles, so that it looks as it should without a web server beside it."""
    from pathlib import Path

    root = Path(admin.__file__).parent / "static"
    return serve(request, path, document_root=root)


urlpatterns = [
    path("", views.home, name="home"),
    path("whoami", views.whoami, name="whoami"),
    path("login/", auth.LoginView.as_view(template_name="visits/login.html"), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    re_path(r"^static/(?P<path>.*)$", static),
]
