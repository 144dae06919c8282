"""The backtest: past events through the engine, judged at once, in several processes, and nothing kept between."""
