"""The contract of profiles."""

from docrefinery.plugin.descriptors import Profile
from docrefinery.plugin.options import wrong_options
from docrefinery.plugin.registry import Registry, load
from docrefinery.plugin.testing.exporters import check_summary


def check_profile(profile: Profile, registry: Registry | None = None) -> None:
    """Look at a profile: its options are those that the core understands, and its exports exist.

    :param registry: where its exports come from; the built-in ones if it is left out.
    :raises AssertionError: if it breaks a rule; the message names the profile and says what to do.
    """
    what = f"profile {profile.name!r}"
    check_summary(what, profile.summary)
    if wrong := wrong_options(profile.options):
        raise AssertionError(f"{what}: in `options`, {wrong[0]}")
    kinds = (registry or load(())).exporters
    if missing := [kind for kind in profile.exports if kind not in kinds]:
        raise AssertionError(
            f"{what}: nobody offers the export {missing[0]!r}; there are {', '.join(sorted(kinds))}. One that another "
            "plugin brings must be installed along: name that plugin in your dependencies"
        )
