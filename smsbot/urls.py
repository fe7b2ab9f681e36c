from django.urls import path

from smsbot import views

urlpatterns = [
    path("webhook", views.webhook, name="sms-webhook"),
    path("status/<uuid:public_id>", views.status, name="sms-status"),
]
