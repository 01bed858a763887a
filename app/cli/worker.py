"""`yinxu worker QUEUE`: work one queue until told to stop."""

import click

from app import jobs


@click.command()
@click.argument("queue", type=click.Choice(jobs.QUEUES))
def command(queue: jobs.QueueName) -> None:
    """Work one QUEUE until SIGTERM. Start one worker for each: a worker on two queues can lose a job."""
    from app.factory import create_app
    from app.worker import work

    work(create_app(), queue)
