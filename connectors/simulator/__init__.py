"""A living portfolio: borrowers who earn, spend and owe, told as a bank's feeds would tell of them."""
