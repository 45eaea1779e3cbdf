"""The web UI's "Kafka" tab: tab and files by Locust's own extension points, the content by a page of our own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, jsonify, request, send_file
from locust.web import WebUI
from plotly.offline import get_plotlyjs

from kafka_load.locust_adapter import live_view

if TYPE_CHECKING:
    from kafka_load.locust_adapter.adapter import LocustAdapter

KEY = "kafka"
FILES = {"timeline.csv": "timeline", "anomalies.csv": "anomalies", "report.html": "report (once the run has ended)"}
PAGES = ("live_view.js", "kafka_tab.js")
HERE = Path(__file__).parent
SCRIPT = '<script src="./kafka/kafka_tab.js"></script></body>'


def install(session: LocustAdapter, web_ui: WebUI, refusals: tuple[type[Exception], ...]) -> None:
    """Add the tab to Locust's web UI; a start that ends in one of `refusals` is refused in the form."""
    web_ui.template_args |= {
        "extended_tabs": [{"title": "Kafka", "key": KEY}],
        "extended_csv_files": [
            {"href": f"./kafka/{name}", "title": f"Download Kafka {title}"} for name, title in FILES.items()
        ],
    }
    app: Any = web_ui.app
    pages = Blueprint("kafka", __name__, url_prefix=f"{session.options.web_base_path or ''}/kafka")

    def page() -> Response:
        return send_file(HERE / "live_view.html")

    def state() -> Response:
        return jsonify(live_view.state(session.coordinator))

    def plotly() -> Response:
        return Response(get_plotlyjs(), mimetype="text/javascript", headers={"Cache-Control": "max-age=86400"})

    def file(name: str) -> Response:
        if name in PAGES:
            return send_file(HERE / name)
        coordinator = session.coordinator
        if coordinator is None or name not in FILES or not (path := coordinator.plan.run_dir / name).exists():
            abort(404)
        return send_file(Path(path).resolve())

    def refuse() -> Response | None:
        if not request.path.endswith("/swarm"):
            return None
        given = argparse.Namespace(**{**vars(session.options), **_form()})
        try:
            session.planning.ready(given, request.form.get("profile") or session.environment.profile)
        except refusals as refusal:
            return jsonify({"success": False, "message": str(refusal)})
        return None

    def extend(response: Response) -> Response:
        if request.endpoint == "locust.index" and response.mimetype == "text/html":
            response.set_data(response.get_data(as_text=True).replace("</body>", SCRIPT))
        return response

    guarded: Any = web_ui.auth_required_if_enabled
    for rule, view in (("/", page), ("/state", state), ("/plotly.js", plotly), ("/<name>", file)):
        pages.add_url_rule(rule, view_func=guarded(view))
    app.register_blueprint(pages)
    app.before_request(refuse)
    app.after_request(extend)


def _form() -> dict[str, Any]:
    """The form's own values for the options it shows; empty fields leave the option as it is."""
    return {name: value for name, value in request.form.items() if value and name not in ("user_classes", "profile")}
