"""Single sign-on: agents who prove who they are at a provider that speaks OpenID Connect."""
