"""No verdict here depends on how busy the machine is."""

import hypothesis

hypothesis.settings.register_profile("crucible", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("crucible")
