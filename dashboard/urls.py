"""The addresses of the owner's pages, below the admin's."""

from django.urls import path

from dashboard import conversations, doing, films, home, setup, statistics_pages

app_name = "dashboard"

urlpatterns = [
    path("home/films", home.films, name="home-films"),
    path("home/needs", home.needs, name="home-needs"),
    path("do/<slug:name>/<int:pk>", doing.do, name="do"),
    path("conversations/", conversations.index, name="conversations"),
    path("conversations/segments", conversations.count_segments, name="segments"),
    path("conversations/<int:pk>/", conversations.one, name="conversation"),
    path("conversations/<int:pk>/texts", conversations.texts, name="conversation-texts"),
    path("films/", films.search, name="films"),
    path("films/<int:tmdb_id>/", films.one, name="film"),
    path("films/<int:tmdb_id>/now", films.now, name="film-now"),
    path("films/<int:tmdb_id>/ask", films.ask, name="ask"),
    path("statistics/", statistics_pages.overview, name="statistics"),
    path("statistics/films", statistics_pages.film_rows, name="film-rows"),
    path("statistics/texts", statistics_pages.text_rows, name="text-rows"),
    path("statistics/model", statistics_pages.model_rows, name="model-rows"),
    path("setup/", setup.index, name="setup"),
    path("setup/<slug:group>", setup.card, name="setup-card"),
    path("setup/<slug:group>/connect", setup.connect, name="setup-connect"),
]
