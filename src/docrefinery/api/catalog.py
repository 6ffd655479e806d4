"""``/v1/profiles/`` and ``/v1/exporters/``: what this installation can do."""

from litestar import get

from docrefinery.api import query
from docrefinery.api.auth import SECURITY, any_key
from docrefinery.api.deps import ApiRequest
from docrefinery.api.listing import listing_of
from docrefinery.api.views import ExporterView, Listing, ProfileView
from docrefinery.plugin import Profile


@get(
    "/v1/profiles/",
    guards=[any_key],
    security=SECURITY,
    tags=["catalog"],
    operation_class=query.documented(query.PAGING),
)
async def list_profiles(request: ApiRequest) -> Listing[ProfileView]:
    """List the extraction profiles that requests may name."""
    return listing_of(request, [await _view(request, each) for each in request.services.registry.profiles.values()])


async def _view(request: ApiRequest, profile: Profile) -> ProfileView:
    services = request.services
    missing = await services.abilities.missing(profile)
    wanted = services.registry.engine_for(profile.name, services.settings.engine)
    docling = wanted == "docling" or (wanted == "auto" and (await services.abilities.models()).usable)
    return ProfileView(
        name=profile.name,
        summary=profile.summary,
        enabled=profile.name not in request.user.defaults.disabled_profiles,
        exports=list(profile.exports),
        options=dict(profile.options),
        # Where Docling's models would be used and no worker has them, the geometric engine stands in for them.
        engine="docling" if docling else "geometric",
        available=not missing,
        missing=missing,
    )


@get(
    "/v1/exporters/",
    guards=[any_key],
    security=SECURITY,
    tags=["catalog"],
    operation_class=query.documented(query.PAGING),
)
async def list_exporters(request: ApiRequest) -> Listing[ExporterView]:
    """List the kinds of artifacts that `exports` may ask for."""
    views = [
        ExporterView(
            kind=exporter.kind,
            summary=exporter.summary,
            content_type=exporter.content_type,
            plugin=request.services.registry.provider(exporter).name,
            version=request.services.registry.provider(exporter).version,
        )
        for exporter in request.services.registry.exporters.values()
    ]
    return listing_of(request, views)
