"""README's five steps, with what is needed around them to follow them in a project that was just begun."""

from __future__ import annotations

import re
import textwrap

from tests.docs.pages import README, section

SHOP = """
```console
$ python -m venv venv
$ . venv/bin/activate
$ python -m {install}
$ python -m django startproject shop .
```

Put into `orders/models.py`:

```python
from django.db import models


class Order(models.Model):
    number = models.CharField(max_length=40)
    total = models.DecimalField(max_digits=12, decimal_places=2)
    email = models.EmailField()


class Line(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    sku = models.CharField(max_length=40)
    quantity = models.IntegerField()
```

Put into `orders/templates/form.html`:

```html
<form method="post">{{% csrf_token %}}<button>Buy</button></form>
```

Put into `orders/views.py`:

```python
from django.http import HttpResponse
from django.shortcuts import render

from orders.models import Line, Order


def create_order(request):
    order = Order.objects.create(number="100023", total="234.12", email="buyer@example.com")
    Line.objects.create(order=order, sku="123123-M", quantity=2)
    return order


def buy(request):
    if request.method != "POST":
        return render(request, "form.html")
{signal}
    return HttpResponse(f"Thank you for order {{order.number}}.")
```

Put into `shop/urls.py`:

```python
from django.contrib.auth.views import LoginView
from django.urls import path
from orders.views import buy

urlpatterns = [
    path("buy/", buy),
    path("login/", LoginView.as_view(template_name="form.html", next_page="/buy/")),
]
```

Append to `shop/settings.py`:

```python
INSTALLED_APPS += ["orders"]
{settings}
DJANGO_VT["ENDPOINT"] = "http://127.0.0.1:8765/event"
```

```console
$ python manage.py makemigrations orders
{commands}
$ python manage.py shell -v 0 -c '
from django.contrib.auth.models import User
User.objects.create_user("ana", "ana@example.com", "teapot")
'
```

In a second terminal:

```console
$ python -m django_vt.testing.fake_vendor --port 8765
listening
```

In a third terminal:

```console
$ python manage.py runserver 8000
Starting …development server
```

Open <http://127.0.0.1:8000/buy/> and press **Buy**. The page says:

```text
Thank you for order 100023.
```

```text
… accepted acc123 confirmation …{{"id":"123123-M","quantity":2}}…"orderId":"100023","total":234.12…
```

Open <http://127.0.0.1:8000/login/> and log in as `ana` with the password `teapot`. The page says:

```text
Buy
```

```text
… accepted acc123 login {{"type":"login","email":"ana@example.com","source":"website"}}
```

What cron does every minute:

```console
$ env -i PATH=/usr/bin:/bin {cron_variables} "$(command -v python)" manage.py {cron}
```
"""


def page() -> str:
    """The steps as README has them, in a page that can be walked."""
    steps = section(README, "Five steps into your shop")
    install, *settings_and_signal = steps_with_python(steps)
    *settings, signal = settings_and_signal
    return SHOP.format(
        install=install,
        settings="\n".join(map(merged, settings)),
        signal=textwrap.indent(signal, "    "),
        commands="\n".join(
            f"$ {command}" for command in re.findall(r"^ {7}(python manage\.py \w+)$", steps, re.MULTILINE)
        ),
        cron_variables=" ".join(re.findall(r"^ {7}([A-Z_]+=\S+)$", steps, re.MULTILINE)),
        cron=re.findall(r"^ {7}\* \* \* \* \* .*manage\.py (.+)$", steps, re.MULTILINE)[0],
    )


def steps_with_python(steps: str) -> list[str]:
    """What the first step types, then the indented blocks of Python of the others."""
    [install] = re.findall(r"^1\. .*`(pip install [\w-]+)`", steps, re.MULTILINE)
    blocks = re.findall(r"^ {3}```python\n(.*?)^ {3}```", steps, re.DOTALL | re.MULTILINE)
    return [install, *map(textwrap.dedent, blocks)]


def merged(block: str) -> str:
    """A block of settings, where `# …` in a list stands for what the project has in it already."""
    return re.sub(r"^(\w+) = \[\n +# …\n", r"\1 += [\n", block, flags=re.MULTILINE)
