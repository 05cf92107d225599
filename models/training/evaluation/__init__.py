"""What a model is worth on rows it never saw: figures, pictures, and one page that shows both."""
