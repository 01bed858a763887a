"""`yinxu worker QUEUE`: work one queue until told to stop."""

import click

from app import jobs


@click.command()
@click.argument("queue", type=click.Choice(jobs.QUEUES), required=False)
@click.option(
    "--check", is_flag=True, help="Only ask whether Redis and the database answer; for health checks."
)
def command(queue: jobs.QueueName | None, check: bool) -> None:
    """Work one QUEUE until SIGTERM. Start one worker for each: a worker on two queues can lose a job."""
    from app.factory import create_app
    from app.worker import answers, work

    if check:
        faults = answers(create_app(pages=False, diagrams=False))
        for fault in faults:
            click.echo(fault, err=True)
        raise SystemExit(1 if faults else 0)
    if queue is None:
        raise click.UsageError(f"name a queue: {', '.join(jobs.QUEUES)}")
    work(create_app(pages=False, diagrams=queue == "flows"), queue)
