package notification

import "context"

func (k *Keeper) writeText(context.Context, *document) (Text, error) { return Text{}, errObsolete }
