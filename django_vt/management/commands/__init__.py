"""`manage.py send_pending`, `resend`, `purge_send_log`, `send_log_status`, `hold_sending`, `release_sending`."""
